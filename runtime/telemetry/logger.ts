import { pino } from 'pino';
import type { DestinationStream, Logger as PinoLogger } from 'pino';
import pretty from 'pino-pretty';
import type { Logger, SupervisorReport } from '../../supervisor/index.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Where the lines of a mesh go. */
export interface MeshLogger {
  /** What `startMesh` takes as its logger. */
  readonly line: Logger;
  /** One line a supervisor report: crashes and escalations as errors, starts and ends at debug. */
  readonly report: (report: SupervisorReport) => void;
  /** An error without a code, which is a defect of the program. */
  readonly defect: (error: unknown) => void;
}

export interface LoggerOptions {
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Default: stderr, for people where that is a terminal, else one JSON object a line. */
  readonly destination?: DestinationStream;
}

/** Names of fields whose values never reach a log. */
const SECRET_FIELDS = ['token', 'secretKey', 'privateKey', 'seed', 'password', 'authorization'];
const SECRET_PATHS = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]);

/** Reports that somebody should look at, by level; all others are `debug`. */
const REPORT_LEVELS: Readonly<Partial<Record<SupervisorReport['type'], 'warn' | 'error'>>> = {
  crash: 'warn',
  start_error: 'error',
  shutdown_error: 'warn',
  intensity: 'error',
  escalation: 'error',
  stray_error: 'error',
};

/** Makes the logger of a mesh. */
export function createLogger(options: LoggerOptions = {}): MeshLogger {
  const destination = options.destination ?? stderr();
  const log: PinoLogger = pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_PATHS, censor: '[secret]' },
      messageKey: 'message',
    },
    destination,
  );
  return {
    line: ({ level, message, details }) => {
      log[level](details === undefined ? {} : { details: plain(details) }, message);
    },
    report: (report) => {
      log[REPORT_LEVELS[report.type] ?? 'debug'](
        { report },
        `supervisor: ${report.type} ${report.path}`,
      );
    },
    defect: (error) => {
      log.error({ details: plain(error) }, `A defect: ${String(error)}`);
    },
  };
}

function stderr(): DestinationStream {
  if (process.stderr.isTTY)
    return pretty({
      destination: 2,
      sync: true,
      messageKey: 'message',
      translateTime: 'SYS:HH:MM:ss.l',
    });
  // Synchronous, because the last line before an end matters most.
  return pino.destination({ fd: 2, sync: true });
}

/** Errors have their facts in fields that are not enumerable. */
function plain(details: unknown): unknown {
  if (!(details instanceof Error)) return details;
  return 'toJSON' in details && typeof details.toJSON === 'function'
    ? { ...(details.toJSON() as object), stack: details.stack }
    : { message: details.message, stack: details.stack };
}

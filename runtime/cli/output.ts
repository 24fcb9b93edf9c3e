/** The two streams: stdout is data, stderr is for people. */
import { styleText } from 'node:util';
import { CodedError, codeOf } from '../../machines/kernel/coded-error.ts';
import type { ErrorJson } from '../../machines/kernel/coded-error.ts';
import { cliError } from './errors.ts';
import { EXIT } from './exit-code.ts';

export type ProgressMode = 'auto' | 'tty' | 'plain' | 'quiet';
type Style = Parameters<typeof styleText>[0];

export interface OutputOptions {
  /** Data and errors as JSON on stdout. */
  readonly json: boolean;
  readonly progress: ProgressMode;
}

/** Colours for that stream, none where it is no terminal or NO_COLOR is set. */
export const paint = (stream: NodeJS.WriteStream, style: Style, text: string): string =>
  styleText(style, text, { stream });

export class Output {
  readonly json: boolean;
  /** `auto` is decided: a terminal that is not told otherwise. */
  readonly progress: Exclude<ProgressMode, 'auto'>;

  constructor({ json, progress }: OutputOptions) {
    this.json = json;
    const auto = process.stderr.isTTY ? 'tty' : 'plain';
    this.progress = progress === 'auto' ? auto : progress;
  }

  /** The result: as JSON, or as the text for people and pipes. */
  data(value: unknown, text: () => string): void {
    process.stdout.write(this.json ? `${JSON.stringify(value)}\n` : withNewline(text()));
  }

  /** A hint, a warning, a banner; nothing that a program needs. */
  note(text: string): void {
    if (this.progress !== 'quiet') process.stderr.write(withNewline(text));
  }

  error(thrown: unknown): void {
    const error = asCoded(thrown);
    if (this.json) process.stdout.write(`${JSON.stringify({ error: error.toJSON() })}\n`);
    else process.stderr.write(`${errorText(error)}\n`);
    const stack = thrown instanceof Error ? thrown.stack : undefined;
    if (process.env['MESH_DEBUG'] !== undefined && stack !== undefined)
      process.stderr.write(`${stack}\n`);
  }
}

/** An error as people read it: what happened, why, what to do, where to read on. */
function errorText(error: CodedError): string {
  const label = (style: Style, text: string) => paint(process.stderr, style, text);
  const lines = [`${label(['red', 'bold'], 'error')}: ${error.message}`];
  for (let cause = error.toJSON().cause; cause !== undefined; cause = nextCause(cause))
    lines.push(`  ${label('dim', 'cause')}: ${cause.message}`);
  if (error.hint !== '') lines.push(`  ${label('cyan', 'hint')}: ${error.hint}`);
  lines.push(`  ${label('dim', 'code')}: ${error.code} (mesh explain ${error.code})`);
  return lines.join('\n');
}

const nextCause = (cause: NonNullable<ErrorJson['cause']>): ErrorJson['cause'] =>
  'code' in cause ? cause.cause : undefined;

/** Anything thrown as a coded error; what has no code of ours is a defect. */
export function asCoded(thrown: unknown): CodedError {
  if (thrown instanceof CodedError) return thrown;
  if (codeOf(thrown)?.startsWith('MESH_ERR_') === true) return CodedError.fromJSON(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return cliError('MESH_ERR_CLI_DEFECT', `The command failed: ${message}`, { cause: thrown });
}

/** A reader that left early (`mesh ps | head -1`) has what it wanted. */
export function endWithReader(): void {
  const onError = (error: Error): void => {
    if (codeOf(error) === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  };
  process.stdout.on('error', onError);
  process.stderr.on('error', onError);
}

const withNewline = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);

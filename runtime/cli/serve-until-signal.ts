import { cliError } from './errors.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { onSignals } from './signals.ts';

/** Something that runs in this process until it is stopped. */
export interface Service {
  /** Resolves when it has ended by itself, or was stopped. Never rejects. */
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

/**
 * Starts a service, and stops it with the first signal. Resolves to 0 after SIGTERM, 130 after Ctrl-C.
 * Rejects as `start` does, and with MESH_ERR_CLI_SERVICE_ENDED where the service ended by itself.
 */
export async function serveUntilSignal(start: () => Promise<Service>): Promise<ExitCode> {
  const signals = onSignals();
  try {
    const service = await start();
    try {
      const ended = await Promise.race([
        signals.first.then((name) => ({ name })),
        service.ended.then((reason) => ({ reason })),
      ]);
      if ('name' in ended) return ended.name === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
      throw cliError(
        'MESH_ERR_CLI_SERVICE_ENDED',
        `What was started ended by itself: ${JSON.stringify(ended.reason)}.`,
      );
    } finally {
      await service.stop();
    }
  } finally {
    signals.release();
  }
}

import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';

/**
 * A terminal sends Ctrl-C to the whole group, and npm passes on what it got: the same wish arrives
 * twice. Only what comes after this counts as a second one.
 */
const REPEAT_MS = 1_000;

export interface Signals {
  /** Aborts with the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** 130 or 143, by the first signal. */
  exitCode(): ExitCode;
  /** Resolves with the first signal, by name. */
  readonly first: Promise<NodeJS.Signals>;
  /** Resolves when somebody asks again: they will not wait. */
  readonly second: Promise<void>;
  /** Gives the signals back to their defaults. */
  release(): void;
}

/** Takes SIGINT and SIGTERM (and SIGHUP, as SIGTERM) until released. */
export function onSignals(): Signals {
  const aborter = new AbortController();
  const first = Promise.withResolvers<NodeJS.Signals>();
  const second = Promise.withResolvers<void>();
  let seen: { readonly name: NodeJS.Signals; readonly atMs: number } | undefined;
  const listener = (name: NodeJS.Signals): void => {
    if (seen === undefined) {
      seen = { name, atMs: performance.now() };
      first.resolve(name);
      aborter.abort();
    } else if (performance.now() - seen.atMs > REPEAT_MS) second.resolve();
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, listener);
  return {
    signal: aborter.signal,
    first: first.promise,
    second: second.promise,
    exitCode: () => (seen?.name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated),
    release: () => {
      for (const name of names) process.off(name, listener);
    },
  };
}

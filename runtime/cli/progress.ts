import { byteCount, duration } from './format.ts';
import type { Output } from './output.ts';

/** Work shorter than this needs no progress. */
const QUIET_MS = 500;
const BAR_CELLS = 24;

export interface Progress {
  /** What is so now; `fraction` from 0 to 1 where it is known. */
  update(text: string, fraction?: number): void;
  /** Ends it: the line goes, or stays as `text`. Idempotent. */
  end(text?: string): void;
}

/** On a terminal one line that rewrites itself, elsewhere a line for each change of the text. */
export function createProgress(out: Output): Progress {
  if (out.progress === 'quiet') return { update: () => undefined, end: () => undefined };
  return out.progress === 'tty' ? createLine() : createLines();
}

function createLine(): Progress {
  let isShown = false;
  const clear = (): string => (isShown ? '\r\u001B[2K' : '');
  return {
    update: (text, fraction) => {
      const line = fraction === undefined ? text : `${bar(fraction)} ${text}`;
      const cut = line.slice(0, Math.max(20, (process.stderr.columns || 80) - 1));
      process.stderr.write(`${clear()}${cut}`);
      isShown = true;
    },
    end: (text) => {
      process.stderr.write(`${clear()}${text === undefined ? '' : `${text}\n`}`);
      isShown = false;
    },
  };
}

function createLines(): Progress {
  let last = '';
  const say = (text: string): void => {
    if (text !== last) process.stderr.write(`${text}\n`);
    last = text;
  };
  return {
    update: say,
    end: (text) => {
      if (text !== undefined) say(text);
    },
  };
}

function bar(fraction: number): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_CELLS);
  return `[${'#'.repeat(full)}${'-'.repeat(BAR_CELLS - full)}]`;
}

/** Progress in bytes, once the work has lasted for long enough to be worth a line. */
export function createByteProgress(out: Output, what: string) {
  const progress = createProgress(out);
  const startedMs = performance.now();
  let steps = 0;
  return {
    onProgress: (done: number, total: number): void => {
      const elapsedMs = performance.now() - startedMs;
      if (elapsedMs < QUIET_MS || total === 0) return;
      const fraction = done / total;
      // Without a terminal, a line for each quarter.
      if (out.progress === 'plain' && Math.floor(fraction * 4) <= steps) return;
      steps = Math.floor(fraction * 4);
      const rest =
        fraction > 0 ? `, ${duration((elapsedMs * (1 - fraction)) / fraction)} left` : '';
      progress.update(`${what}: ${byteCount(done)} of ${byteCount(total)}${rest}`, fraction);
    },
    end: (): void => {
      progress.end();
    },
  };
}

/** A shell that keeps its variables between commands, and programs in its background. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';

export interface ShellResult {
  /** stdout and stderr as a terminal shows them. */
  readonly output: string;
  readonly exitCode: number;
}

export interface ShellOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

const OUTPUT_CHARS_MAX = 4_000_000;
const STOP_TIMEOUT_MS = 30_000;

/** Output so far, and a promise of the next piece. */
class Output {
  text = '';
  #wake: () => void = () => undefined;

  constructor(process: ChildProcess) {
    for (const stream of [process.stdout, process.stderr])
      stream?.setEncoding('utf8').on('data', (piece: string) => {
        this.text = (this.text + piece).slice(-OUTPUT_CHARS_MAX);
        this.#wake();
      });
    process.once('exit', () => this.#wake());
  }

  /** Resolves when `isThere` holds or the program has ended; rejects after the deadline. */
  async until(isThere: () => boolean, process: ChildProcess, deadlineMs: number): Promise<void> {
    const signal = AbortSignal.timeout(deadlineMs);
    while (!isThere() && process.exitCode === null && process.signalCode === null)
      await new Promise<void>((resolve, reject) => {
        const expire = (): void =>
          reject(new Error(`Nothing more within ${deadlineMs} ms. So far:\n${this.text}`));
        signal.addEventListener('abort', expire, { once: true });
        this.#wake = () => {
          signal.removeEventListener('abort', expire);
          resolve();
        };
      });
  }
}

const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

/** Signals the program and all that it started. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || hasEnded(child)) return;
  process.kill(-child.pid, signal);
}

async function endOf(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  signalGroup(child, signal);
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

export class Shell implements AsyncDisposable {
  readonly #options: ShellOptions;
  readonly #bash: ChildProcess;
  readonly #output: Output;
  readonly #background: ChildProcess[] = [];

  constructor(options: ShellOptions) {
    this.#options = options;
    this.#bash = this.#spawn(['--noprofile', '--norc'], 'pipe');
    this.#output = new Output(this.#bash);
  }

  /** Runs one command, with nothing to read; rejects after the deadline. */
  async run(command: string, deadlineMs: number): Promise<ShellResult> {
    const mark = `end-${randomBytes(12).toString('hex')}`;
    const pattern = new RegExp(`\\n?${mark} (\\d+)\\n`);
    this.#output.text = '';
    this.#bash.stdin?.write(`{ ${command}\n} </dev/null 2>&1\nprintf '\\n${mark} %s\\n' "$?"\n`);
    await this.#output.until(() => pattern.test(this.#output.text), this.#bash, deadlineMs);
    const found = pattern.exec(this.#output.text);
    if (!found) throw new Error(`The shell ended during: ${command}\n${this.#output.text}`);
    return { output: this.#output.text.slice(0, found.index), exitCode: Number(found[1]) };
  }

  /** Starts a program that stays; resolves when its output matches `ready`. */
  async start(command: string, ready: RegExp, deadlineMs: number): Promise<void> {
    const child = this.#spawn(['-c', `exec ${command}`], 'ignore');
    this.#background.push(child);
    const output = new Output(child);
    await output.until(() => ready.test(output.text), child, deadlineMs);
    if (!ready.test(output.text))
      throw new Error(`It ended before it said ${String(ready)}: ${command}\n${output.text}`);
  }

  /** Ends what runs in the background (SIGTERM, at last SIGKILL), then the shell. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#background.toReversed()) await endOf(child, 'SIGTERM');
    await endOf(this.#bash, 'SIGKILL');
  }

  #spawn(args: readonly string[], stdin: 'pipe' | 'ignore'): ChildProcess {
    return spawn('bash', args, {
      cwd: this.#options.cwd,
      env: this.#options.env,
      detached: true,
      stdio: [stdin, 'pipe', 'pipe'],
    });
  }
}

/** Coordinators as processes of their own, started by the command, on one history. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { writeCoordinatorConfig } from '../../../runtime/coordinator/coordinator-config.ts';
import { ensureNodeKey } from '../../../runtime/coordinator/coordinator-identity.ts';
import { startMeshCommand } from '../mesh/command.ts';
import { scratch } from '../scratch.ts';
import type { Scratch } from '../scratch.ts';
import { until } from '../until.ts';

/** A short wait, so that a spec sees many recoveries. */
const RECOVERY_WAIT_MS = 150;
const POLL_MS = 20;

/** One Coordinator: its folder stays, its process comes and goes. */
export class CoordinatorProcess {
  readonly name: string;
  readonly folder: string;
  /** For `nodeKeys` of a manifest. */
  readonly nodeKey: string;
  readonly host = '127.0.0.1';
  readonly #cwd: string;
  #child: ChildProcess | undefined;
  #text = '';
  #all = '';

  constructor(name: string, folder: string, nodeKey: string, cwd: string) {
    this.name = name;
    this.folder = folder;
    this.nodeKey = nodeKey;
    this.#cwd = cwd;
  }

  /** What it said since its start. */
  get text(): string {
    return this.#text;
  }

  /** What all its processes said. */
  get allText(): string {
    return this.#all;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get port(): number {
    return Number(/listens on https:\/\/127\.0\.0\.1:(\d+)/.exec(this.#text)?.[1] ?? 0);
  }

  /** The last state that it told. */
  get state(): string {
    return /^(?:.*\n)*(\w+): .*\n/.exec(this.#text)?.[1] ?? '';
  }

  /** Resolves when it listens and has told its state. */
  async start(): Promise<void> {
    this.#text = '';
    const wait = String(RECOVERY_WAIT_MS);
    const args = ['coordinator', 'start', '--folder', this.folder, '--recovery-wait-ms', wait];
    const child = startMeshCommand([...args, '--listen', '127.0.0.1:0'], {
      cwd: this.#cwd,
      env: { MESH_LOG: 'debug' },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (piece: string) => {
        this.#text += piece;
        this.#all += piece;
      });
    await until(() => this.state !== '' || child.exitCode !== null, `${this.name} to listen`);
    if (this.port === 0) throw new Error(`${this.name} ended:\n${this.#text}`);
  }

  /** Waits until it has said that. */
  says(text: string): Promise<void> {
    return until(() => this.#text.includes(text), `${this.name} to say ${text}:\n${this.#text}`);
  }

  /** Kills it at some moment of that time, and resolves when it is gone. */
  async killWithin(ms: number): Promise<void> {
    await pause(Math.random() * ms);
    await this.end('SIGKILL');
  }

  /** The steps of recoveries that it told, in their order. */
  get recoverSteps(): readonly string[] {
    return [...this.#text.matchAll(/recover: ([a-z.]+)/g)].map(([, step = '']) => step);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Ends it, and resolves to its exit code; a signal that kills it gives null. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  }
}

/** Several of them; gone, with their folders, at the end. */
export class CoordinatorProcesses implements AsyncDisposable {
  readonly members: readonly CoordinatorProcess[];
  readonly #folder: Scratch;

  private constructor(members: readonly CoordinatorProcess[], folder: Scratch) {
    this.members = members;
    this.#folder = folder;
  }

  static async start(count: number, store: 'sqlite' | 'fs' = 'sqlite') {
    const folder = scratch();
    const members: CoordinatorProcess[] = [];
    for (let index = 0; index < count; index++) {
      const name = `c${String(index)}`;
      const own = folder.file(name);
      mkdirSync(own);
      await writeCoordinatorConfig(own, {
        version: 1,
        name,
        host: '127.0.0.1',
        port: 0,
        history: { store, folder: '../history' },
        peers: [],
      });
      const { publicKey } = await ensureNodeKey(`${own}/keys`);
      const nodeKey = Buffer.from(publicKey).toString('hex');
      members.push(new CoordinatorProcess(name, own, nodeKey, folder.path));
    }
    const all = new CoordinatorProcesses(members, folder);
    await Promise.all(members.map((one) => one.start()));
    return all;
  }

  get nodeKeys(): readonly string[] {
    return this.members.map(({ nodeKey }) => nodeKey);
  }

  /** Whether somebody serves, or comes to within that time. */
  async servesWithin(ms: number): Promise<boolean> {
    const deadline = performance.now() + ms;
    while (!this.members.some(({ state }) => state === 'ready')) {
      if (performance.now() > deadline) return false;
      await pause(POLL_MS);
    }
    return true;
  }

  file(name: string): string {
    return this.#folder.file(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map((one) => one.end('SIGKILL')));
    this.#folder[Symbol.dispose]();
  }
}

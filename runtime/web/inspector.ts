/** Shows a tree on a web page of the loopback. */
import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Tree } from '../../supervisor/index.ts';
import type { Chart } from '../charts/chart.ts';
import { layoutOf } from '../charts/layout.ts';
import type { Layout } from '../charts/layout.types.ts';
import { inspectError } from './errors.ts';
import { pageDir } from './page-dir.ts';
import { DELTA_PERIOD_MS } from './recorder/bounds.ts';
import { Recorder } from './recorder/recorder.ts';
import type { Question, ServerOptions, ToMain, ToServer } from './server/link.types.ts';
import type { Json, ServerMessage } from './ui/wire.types.ts';

export interface InspectorOptions {
  /** On 127.0.0.1. Default 0, a free one. */
  readonly port?: number;
  /** Whether the page may send events to actors. Default false; each one is written to the log. */
  readonly allowSend?: boolean;
  /** What the page is headed with. Default the tree's root. */
  readonly title?: string;
  /** Folder of a page of your own, with an `index.html`. Default the package's. */
  readonly pageDir?: string;
}

export interface Inspector {
  readonly port: number;
  /** An address with a one-time token: whoever opens it first may look. The one before it is void. */
  invite(): string;
  /** Idempotent. */
  close(): Promise<void>;
}

const WORKER = new URL('./server/inspector.worker.ts', import.meta.url);

/**
 * Serves the inspector of a tree; the tree goes on as it is, and pays one constant for each event.
 * MESH_ERR_INSPECT_PORT, MESH_ERR_INSPECT_PAGE.
 */
export async function startInspector(
  tree: Tree,
  options: InspectorOptions = {},
): Promise<Inspector> {
  const workerData: ServerOptions = {
    port: options.port ?? 0,
    token: newToken(),
    title: options.title ?? tree.path,
    canSend: options.allowSend ?? false,
    pageDir: options.pageDir ?? (await pageDir()),
  };
  const worker = new Worker(WORKER, { workerData });
  const port = await listening(worker, workerData.port);
  const session = new Session(tree, worker);
  return {
    port,
    invite: () => {
      const token = newToken();
      session.invite(token);
      return `http://127.0.0.1:${port}/?token=${token}`;
    },
    close: () => session.close(),
  };
}

const newToken = (): string => randomBytes(24).toString('base64url');

async function listening(worker: Worker, wanted: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<ToMain>();
  worker.once('message', resolve);
  worker.once('error', reject);
  const first = await promise;
  worker.removeListener('error', reject);
  if (first.type === 'listening') return first.port;
  await worker.terminate();
  const why = first.type === 'failed' ? first.message : 'it did not start';
  throw inspectError('MESH_ERR_INSPECT_PORT', `Listening on port ${wanted} failed: ${why}.`);
}

/** What the main thread does for the server's. */
class Session {
  readonly #tree: Tree;
  readonly #worker: Worker;
  readonly #recorder: Recorder;
  readonly #layouts = new Map<string, Promise<Layout>>();
  #watched: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(tree: Tree, worker: Worker) {
    this.#tree = tree;
    this.#worker = worker;
    this.#recorder = new Recorder(tree);
    worker.on('message', (message: ToMain) => this.#hear(message));
    // A server that crashed shows nothing any more; the tree must not suffer from it.
    worker.on('error', () => this.#rest());
    worker.unref();
  }

  invite(token: string): void {
    this.#tell({ type: 'invite', token });
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#end());
  }

  async #end(): Promise<void> {
    this.#rest();
    this.#recorder.close();
    await this.#worker.terminate();
  }

  #hear(message: ToMain): void {
    if (message.type === 'looking') this.#look(message.isOn);
    else if (message.type === 'watching') this.#watch(message.paths);
    else if (message.type === 'question') void this.#answer(message.id, message.question);
    else if (message.type === 'send') this.#send(message);
  }

  #look(isOn: boolean): void {
    if (!isOn) {
      this.#rest();
      this.#recorder.forget();
      return;
    }
    this.#tell({ type: 'all', delta: this.#recorder.all() });
    this.#timer ??= setInterval(() => this.#flush(), DELTA_PERIOD_MS).unref();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #flush(): void {
    const delta = this.#recorder.delta();
    if (delta === undefined) return;
    this.#tell({ type: 'delta', delta });
    const changed = new Set([...delta.actors.map(({ path }) => path), ...delta.gone]);
    for (const path of this.#watched) if (changed.has(path)) this.#tellDetails(path);
  }

  #watch(paths: readonly string[]): void {
    this.#watched = paths;
    this.#recorder.watch(new Set(paths));
    for (const path of paths) this.#tellDetails(path);
  }

  #tellDetails(path: string): void {
    const details = this.#recorder.detailsOf(path);
    const message: ServerMessage = details
      ? { type: 'details', details }
      : { type: 'absent', path };
    this.#tell({ type: 'details', path, message });
  }

  async #answer(id: number, question: Question): Promise<void> {
    const body = (await this.#bodyOf(question)) as Json | undefined;
    this.#tell({ type: 'answer', id, body });
  }

  #bodyOf(question: Question): unknown {
    switch (question.what) {
      case 'tree':
        return this.#recorder.peek().actors;
      case 'log':
        return this.#recorder.peek().log;
      case 'machines':
        return this.#recorder.machines();
      case 'actor':
        return this.#recorder.detailsOf(question.path);
      case 'machine': {
        const known = this.#recorder.charts.get(question.key);
        return known && this.#drawn(known.key, known.chart);
      }
    }
  }

  async #drawn(key: string, chart: Chart): Promise<{ chart: Chart; layout: Layout }> {
    const layout = this.#layouts.get(key) ?? layoutOf(chart);
    this.#layouts.set(key, layout);
    return { chart, layout: await layout };
  }

  #send({ viewer, path, event }: Extract<ToMain, { type: 'send' }>): void {
    const ok = this.#tree.send(path, event);
    this.#recorder.audit(path, `sent ${event.type} from the page${ok ? '' : ': nobody took it'}`);
    this.#tell({ type: 'sent', viewer, message: { type: 'sent', path, event: event.type, ok } });
  }

  #tell(message: ToServer): void {
    this.#worker.postMessage(message, []);
  }
}

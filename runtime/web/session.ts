/** What the main thread does for the server's: it alone can ask the actors and the mesh. */
import type { Worker } from 'node:worker_threads';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { ErrorJson } from '../../machines/kernel/coded-error.ts';
import type { Tree } from '../../supervisor/index.ts';
import type { Chart } from '../charts/chart.ts';
import type { Layout } from '../charts/layout.types.ts';
import { inspectError } from './errors.ts';
import { sharedLayoutOf } from './layouts.ts';
import { DELTA_PERIOD_MS } from './recorder/bounds.ts';
import { Recorder } from './recorder/recorder.ts';
import type { Question, ToMain, ToServer } from './server/link.types.ts';
import { StatelyFeed } from './stately/feed.ts';
import type { Json, ServerMessage } from './ui/wire.types.ts';
import { coverageView } from './views/coverage-view.ts';
import type { MeshSource } from './views/mesh-source.types.ts';
import { FollowedViews, viewOf } from './views/views.ts';

/** What an inspector shows beside the tree. */
export interface InspectorSources {
  /** Where the pages of workloads, mesh and messages come from. Default: they say that there is none. */
  readonly mesh?: MeshSource;
  /** Folder of coverage files, which the charts are painted with. */
  readonly coverageDir?: string;
  /** Told of what somebody did on the page, beside the line in the log of viewers. Default: nobody. */
  readonly onAudit?: (path: string, text: string) => void;
}

type Send = Extract<ToMain, { type: 'send' }>;

export class Session {
  readonly #tree: Tree;
  readonly #worker: Worker;
  readonly #sources: InspectorSources;
  readonly #recorder: Recorder;
  readonly #views: FollowedViews;
  readonly #feeds = new Map<number, StatelyFeed>();
  #watched: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(tree: Tree, worker: Worker, sources: InspectorSources) {
    this.#tree = tree;
    this.#worker = worker;
    this.#sources = sources;
    this.#recorder = new Recorder(tree);
    this.#views = new FollowedViews(sources.mesh, (view, body) => {
      const message = { type: 'view', view, body } as ServerMessage;
      this.#tell({ type: 'view', view, message });
    });
    worker.on('message', (message: ToMain) => this.#hear(message));
    // A server that crashed shows nothing any more; the tree must not suffer from it.
    worker.on('error', () => this.#rest());
    worker.unref();
  }

  audit(path: string, text: string): void {
    this.#recorder.audit(path, text);
  }

  /** Somebody did that on the page. */
  #done(path: string, text: string): void {
    this.audit(path, text);
    this.#sources.onAudit?.(path, text);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#end());
  }

  async #end(): Promise<void> {
    this.#rest();
    this.#recorder.close();
    for (const feed of this.#feeds.values()) feed.close();
    await this.#worker.terminate();
  }

  #hear(message: ToMain): void {
    if (message.type === 'looking') this.#look(message.isOn);
    else if (message.type === 'watching') this.#watch(message.paths);
    else if (message.type === 'following') this.#views.follow(message.views);
    else if (message.type === 'question') void this.#answer(message.id, message.question);
    else if (message.type === 'receiving') this.#feed(message.receiver, message.isOn);
    else if (message.type === 'send') this.#sendFor(message);
  }

  #feed(receiver: number, isOn: boolean): void {
    this.#feeds.get(receiver)?.close();
    this.#feeds.delete(receiver);
    if (!isOn) return;
    const tell = (frames: readonly string[]): void =>
      this.#tell({ type: 'stately', receiver, frames });
    this.#feeds.set(receiver, new StatelyFeed(this.#tree, tell));
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
    this.#views.follow([]);
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
    try {
      const body = (await this.#bodyOf(question)) as Json | undefined;
      this.#tell({ type: 'answer', id, body });
    } catch (error) {
      this.#tell({ type: 'answer', id, error: errorJson(error) });
    }
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
        return known && drawn(known.chart);
      }
      case 'coverage': {
        const known = this.#recorder.charts.get(question.key);
        return known && coverageView(known.chart, this.#sources.coverageDir);
      }
      case 'view':
        return viewOf(question.view, this.#sources.mesh);
      case 'rollback':
        return this.#rollback(question.app, question.generation);
    }
  }

  async #rollback(app: string, wanted: number | null) {
    const { mesh } = this.#sources;
    if (mesh === undefined)
      throw inspectError(
        'MESH_ERR_INSPECT_UNKNOWN',
        `Rolling back ${app}: there is no mesh, only a tree.`,
      );
    const to = wanted === null ? '' : ` to generation ${wanted}`;
    try {
      const { generation } = await mesh.rollback(app, wanted ?? undefined);
      this.#done(app, `rolled back${to} from the page: generation ${generation}`);
      this.#views.refresh();
      return { app, generation };
    } catch (error) {
      this.#done(app, `rollback${to} from the page was refused: ${String(error)}`);
      throw error;
    }
  }

  #sendFor({ viewer, path, event }: Send): void {
    const ok = this.#tree.send(path, event);
    this.#done(path, `sent ${event.type} from the page${ok ? '' : ': nobody took it'}`);
    this.#tell({ type: 'sent', viewer, message: { type: 'sent', path, event: event.type, ok } });
  }

  #tell(message: ToServer): void {
    this.#worker.postMessage(message, []);
  }
}

const drawn = async (chart: Chart): Promise<{ chart: Chart; layout: Layout }> => ({
  chart,
  layout: await sharedLayoutOf(chart),
});

function errorJson(error: unknown): ErrorJson {
  if (error instanceof CodedError) return error.toJSON();
  const found = error instanceof Error ? error.message : String(error);
  return inspectError('MESH_ERR_INSPECT_FAILED', `The question failed: ${found}`).toJSON();
}

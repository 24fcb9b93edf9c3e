/** Shows a tree, or a recording of one, on a web page of the loopback. */
import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import type { Tree } from '../../supervisor/index.ts';
import { inspectError } from './errors.ts';
import { pageDir } from './page-dir.ts';
import type { ServerOptions, ToMain, ToServer } from './server/link.types.ts';
import { Session } from './session.ts';
import type { InspectorSources } from './session.ts';

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
  /**
   * An address for a receiver of `@statelyai/inspect`, which speaks WebSocket and keeps no cookie; it
   * works once. Until the first of them there is no such socket.
   */
  inviteStately(): string;
  /** Writes a line into the log that viewers see: what somebody did from outside. */
  audit(path: string, text: string): void;
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
  sources: InspectorSources = {},
): Promise<Inspector> {
  const { worker, port } = await serveInThread({
    ...(await served(options)),
    title: options.title ?? tree.path,
    canSend: options.allowSend ?? false,
  });
  const session = new Session(tree, worker, sources);
  return {
    port,
    invite: () => inviteTo(worker, port),
    inviteStately: () => {
      const token = newToken();
      worker.postMessage({ type: 'inviteStately', token } satisfies ToServer, []);
      return `ws://127.0.0.1:${port}/stately?token=${token}`;
    },
    audit: (path, text) => session.audit(path, text),
    close: () => session.close(),
  };
}

/**
 * Serves a recording, which can be looked at as if it were live, and not changed. Takes its text;
 * MESH_ERR_INSPECT_RECORDING, MESH_ERR_INSPECT_RECORDING_NEWER, MESH_ERR_INSPECT_PORT,
 * MESH_ERR_INSPECT_PAGE.
 */
export async function startReplay(
  recording: string,
  options: Pick<InspectorOptions, 'port' | 'pageDir'> = {},
): Promise<Omit<Inspector, 'audit' | 'inviteStately'>> {
  const { worker, port } = await serveInThread({
    ...(await served(options)),
    title: '',
    canSend: false,
    recording,
  });
  return {
    port,
    invite: () => inviteTo(worker, port),
    close: async () => {
      await worker.terminate();
    },
  };
}

const newToken = (): string => randomBytes(24).toString('base64url');

const served = async (options: Pick<InspectorOptions, 'port' | 'pageDir'>) => ({
  port: options.port ?? 0,
  token: newToken(),
  pageDir: options.pageDir ?? (await pageDir()),
});

function inviteTo(worker: Worker, port: number): string {
  const token = newToken();
  worker.postMessage({ type: 'invite', token } satisfies ToServer, []);
  return `http://127.0.0.1:${port}/?token=${token}`;
}

async function serveInThread(workerData: ServerOptions): Promise<{ worker: Worker; port: number }> {
  const worker = new Worker(WORKER, { workerData });
  const { promise, resolve, reject } = Promise.withResolvers<ToMain>();
  worker.once('message', resolve);
  worker.once('error', reject);
  const first = await promise;
  worker.removeListener('error', reject);
  if (first.type === 'listening') return { worker, port: first.port };
  await worker.terminate();
  if (first.type === 'failed' && first.error) throw CodedError.fromJSON(first.error);
  const why = first.type === 'failed' ? first.message : 'it did not start';
  throw inspectError(
    'MESH_ERR_INSPECT_PORT',
    `Listening on port ${workerData.port} failed: ${why}.`,
  );
}

/** Shows a tree on a web page of the loopback. */
import { randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { Tree } from '../../supervisor/index.ts';
import { inspectError } from './errors.ts';
import { pageDir } from './page-dir.ts';
import type { ServerOptions, ToMain } from './server/link.types.ts';
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
  const workerData: ServerOptions = {
    port: options.port ?? 0,
    token: newToken(),
    title: options.title ?? tree.path,
    canSend: options.allowSend ?? false,
    pageDir: options.pageDir ?? (await pageDir()),
  };
  const worker = new Worker(WORKER, { workerData });
  const port = await listening(worker, workerData.port);
  const session = new Session(tree, worker, sources);
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

import type { Tree } from '../../supervisor/index.ts';
import type { SendRequest } from '../control/mesh-control.ts';
import { inspectError } from './errors.ts';
import { startInspector } from './inspector.ts';
import type { Inspector, InspectorOptions } from './inspector.ts';
import type { InspectorSources } from './session.ts';

/** Where the inspector of a tree can be opened, once. */
export interface Invitation {
  readonly url: string;
  readonly port: number;
  /** For a receiver of `@statelyai/inspect`, once; only where it was asked for. */
  readonly statelyUrl?: string;
}

/** What an inspector is asked for. */
export interface InvitationOptions extends InspectorOptions {
  /** Whether to open a socket that speaks the frames of `@statelyai/inspect`. Default false. */
  readonly stately?: boolean;
}

/** The inspectors of one tree: at most one that only shows, and one that may also send. */
export class Inspectors {
  readonly #tree: Tree;
  readonly #sources: InspectorSources;
  readonly #running = new Map<boolean, Promise<Inspector>>();

  constructor(tree: Tree, sources: InspectorSources = {}) {
    this.#tree = tree;
    this.#sources = sources;
  }

  /** Whether one of them may send. */
  get isSending(): boolean {
    return this.#running.has(true);
  }

  /**
   * Sends an event that somebody asked for from outside, and writes that down for whoever looks.
   * MESH_ERR_INSPECT_UNKNOWN where nobody took it.
   */
  async send({ path, event }: SendRequest): Promise<void> {
    const isTaken = this.#tree.send(path, event);
    const text = `sent ${event.type} from the command line${isTaken ? '' : ': nobody took it'}`;
    for (const started of this.#running.values()) (await started).audit(path, text);
    if (isTaken) return;
    throw inspectError(
      'MESH_ERR_INSPECT_UNKNOWN',
      `Sending ${event.type} to ${path}: there is no such actor, or it takes no mail now.`,
    );
  }

  /** Starts one, or invites to the one that runs already, unless another port is wanted. */
  async invite({ stately = false, ...options }: InvitationOptions = {}): Promise<Invitation> {
    const mode = options.allowSend ?? false;
    const running = await this.#running.get(mode);
    if (running && (options.port ?? running.port) !== running.port) {
      this.#running.delete(mode);
      await running.close();
    }
    const started = this.#running.get(mode) ?? startInspector(this.#tree, options, this.#sources);
    this.#running.set(mode, started);
    try {
      const inspector = await started;
      const invitation = { url: inspector.invite(), port: inspector.port };
      return stately ? { ...invitation, statelyUrl: inspector.inviteStately() } : invitation;
    } catch (error) {
      this.#running.delete(mode);
      throw error;
    }
  }

  async close(): Promise<void> {
    const started = [...this.#running.values()];
    this.#running.clear();
    for (const one of await Promise.allSettled(started))
      // One that did not start has told whoever asked for it.
      if (one.status === 'fulfilled') await one.value.close();
  }
}

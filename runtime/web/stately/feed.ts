/** Tells one receiver of `@statelyai/inspect` what is in a tree, and then what happens in it. */
import type { EventObject } from 'xstate';
import type { Tree, TreeInspection, TreeNode } from '../../../supervisor/index.ts';
import { actorFrame, eventFrame, snapshotFrame } from './frames.ts';
import type { FramedActor } from './frames.ts';

/** Frames that are told at a time; a large tree takes several. */
const BATCH_MAX = 500;
const STOP: EventObject = { type: 'xstate.stop' };

export class StatelyFeed {
  readonly #tree: Tree;
  readonly #tell: (frames: readonly string[]) => void;
  readonly #end: () => void;
  #frames: string[] = [];
  #flushing: NodeJS.Immediate | undefined;

  /** Begins with every actor that lives, parents first, whenever the receiver came. */
  constructor(tree: Tree, tell: (frames: readonly string[]) => void) {
    this.#tree = tree;
    this.#tell = tell;
    this.#end = tree.inspect((seen) => this.#see(seen));
  }

  close(): void {
    this.#end();
    clearImmediate(this.#flushing);
  }

  #see(seen: TreeInspection): void {
    switch (seen.type) {
      case 'tree.described':
        this.#describe(seen.tree, seen.atMs, new Set());
        for (const { path, snapshot, src } of seen.actors)
          if (this.#tree.snapshotOf(path) === undefined)
            this.#say(actorFrame(this.#at(path, seen.atMs), snapshot, src));
        return;
      case 'actor.started':
      case 'actor.restarted': {
        const snapshot = this.#tree.snapshotOf(seen.path);
        this.#say(actorFrame(this.#at(seen.path, seen.atMs), snapshot, seen.src));
        return;
      }
      case 'actor.stopped': {
        const last = { status: 'stopped', output: undefined, error: undefined } as const;
        this.#say(snapshotFrame(this.#at(seen.path, seen.atMs), STOP, last));
        return;
      }
      case 'event.delivered':
        this.#say(eventFrame(this.#at(seen.path, seen.atMs), seen.event, seen.source));
        return;
      case 'transition.taken':
        this.#say(snapshotFrame(this.#at(seen.path, seen.atMs), seen.event, seen.snapshot));
        return;
      default:
      // Lost mail, timers and losses have no frame in this protocol.
    }
  }

  /** Supervisors and their children; what machines made comes with the actors. */
  #describe(node: TreeNode, atMs: number, told: Set<string>): void {
    if (told.has(node.path)) return;
    told.add(node.path);
    this.#say(actorFrame(this.#at(node.path, atMs), this.#tree.snapshotOf(node.path)));
    for (const child of node.children) this.#describe(child, atMs, told);
  }

  #at(path: string, atMs: number): FramedActor {
    return { path, atMs, rootPath: this.#tree.path };
  }

  #say(frame: string): void {
    this.#frames.push(frame);
    if (this.#frames.length >= BATCH_MAX) this.#flush();
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    const frames = this.#frames;
    this.#frames = [];
    if (frames.length > 0) this.#tell(frames);
  }
}

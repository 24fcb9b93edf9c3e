/** All actors of a tree that a viewer may see, and which of them changed since they were last told. */
import type { Snapshot } from 'xstate';
import type { Tree, TreeInspection, TreeNode } from '../../../supervisor/index.ts';
import type { ActorRow } from '../ui/wire.types.ts';
import { idOf, newActor, parentOf, rowOf } from './actor.ts';
import type { Actor } from './actor.ts';
import { ChartRegistry, machineOfSnapshot } from './chart-registry.ts';
import { threadShowOf } from './taken.ts';

type Described = Extract<TreeInspection, { type: 'tree.described' }>;

export class ActorTable {
  readonly charts = new ChartRegistry();
  readonly #tree: Tree;
  readonly #actors = new Map<string, Actor>();
  #dirty: Actor[] = [];
  readonly #gone = new Set<string>();
  /** Paths of actors that ended and may not come back. */
  readonly #stopped = new Set<string>();

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  get hasChanges(): boolean {
    return this.#dirty.length > 0 || this.#gone.size > 0;
  }

  all(): IterableIterator<Actor> {
    return this.#actors.values();
  }

  get(path: string): Actor | undefined {
    return this.#actors.get(path);
  }

  /** The actor of that path; a new one if it was not known. */
  at(path: string, kind: ActorRow['kind'], sinceMs: number): Actor {
    const known = this.#actors.get(path);
    if (known !== undefined) return known;
    const actor = newActor(path, kind, sinceMs);
    this.#actors.set(path, actor);
    this.#gone.delete(path);
    this.changed(actor);
    return actor;
  }

  changed(actor: Actor): void {
    if (actor.isDirty) return;
    actor.isDirty = true;
    this.#dirty.push(actor);
  }

  /** Its snapshot of now; the first tells which machine it is. */
  take(actor: Actor, incarnation: number, snapshot: Snapshot<unknown> | undefined): void {
    actor.incarnation = incarnation;
    actor.snapshot = snapshot;
    const machine = machineOfSnapshot(snapshot);
    if (machine && actor.chart === undefined) actor.chart = this.charts.of(machine);
    const chart = machine ? undefined : threadShowOf(snapshot)?.chart;
    if (chart && actor.chart === undefined) actor.chart = this.charts.ofChart(chart);
    this.changed(actor);
  }

  /** Everything that was there when the recorder came. */
  describe({ tree, actors, atMs }: Described): void {
    this.#describe(tree);
    for (const { path, incarnation, snapshot, src } of actors) {
      const actor = this.at(path, 'own', atMs);
      actor.src = src;
      this.take(actor, incarnation, snapshot);
    }
  }

  started(path: string, atMs: number, incarnation: number, src: string | undefined): void {
    const actor = this.at(path, this.#kindOf(path), atMs);
    actor.src = src;
    actor.sinceMs = atMs;
    actor.status = 'running';
    this.#stopped.delete(path);
    this.take(actor, incarnation, this.#tree.snapshotOf(path));
  }

  stopped(path: string, atMs: number): void {
    const actor = this.at(path, this.#kindOf(path), atMs);
    actor.sinceMs = atMs;
    actor.status = 'stopped';
    actor.row = undefined;
    this.changed(actor);
    this.#stopped.add(path);
  }

  /** Entries were lost, so the tree itself is asked: rows are right again. */
  lookAgain(): void {
    const known = new Set<string>();
    const look = (node: TreeNode): void => {
      known.add(node.path);
      const actor = this.at(node.path, node.kind, node.sinceMs);
      this.take(actor, node.incarnation, this.#tree.snapshotOf(node.path));
      for (const child of node.children) look(child);
    };
    const tree = this.#tree.describe();
    this.#describe(tree);
    look(tree);
    for (const { path, kind } of this.#actors.values())
      if (!known.has(kind === 'own' ? (parentOf(path) ?? path) : path)) this.#remove(path);
  }

  takeChanges(): { readonly actors: readonly ActorRow[]; readonly gone: readonly string[] } {
    this.#removeForgotten();
    const changed = this.#dirty;
    this.#dirty = [];
    for (const actor of changed) actor.isDirty = false;
    const actors = changed
      .filter((actor) => this.#actors.get(actor.path) === actor)
      .map((actor) => rowOf(actor));
    const gone = [...this.#gone];
    this.#gone.clear();
    return { actors, gone };
  }

  #describe(node: TreeNode): void {
    const actor = this.at(node.path, node.kind, node.sinceMs);
    const { status, restarts, sinceMs, state, incarnation } = node;
    Object.assign(actor, { status, restarts, sinceMs, state, incarnation });
    for (const child of node.children) this.#describe(child);
  }

  #kindOf(path: string): ActorRow['kind'] {
    if (this.#tree.supervisor(path) !== undefined) return 'supervisor';
    return this.#tree.supervisor(parentOf(path) ?? path) === undefined ? 'own' : 'worker';
  }

  /** A child that its supervisor still has keeps its line. Each supervisor is asked once. */
  #removeForgotten(): void {
    const known = new Map<string, ReadonlySet<string>>();
    const idsOf = (supervisor: string): ReadonlySet<string> => {
      const ids =
        known.get(supervisor) ?? new Set(this.#tree.whichChildren(supervisor).map(({ id }) => id));
      known.set(supervisor, ids);
      return ids;
    };
    for (const path of this.#stopped) {
      const parent = parentOf(path);
      if (parent !== null && !idsOf(parent).has(idOf(path))) this.#remove(path);
    }
    this.#stopped.clear();
  }

  #remove(path: string): void {
    this.#actors.delete(path);
    this.#gone.add(path);
  }
}

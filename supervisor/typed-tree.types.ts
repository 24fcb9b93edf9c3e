/**
 * A tree whose paths, events, inputs and snapshots are those of the spec that it was made from. Where
 * a spec is not written down but computed, ids are only strings, and so are the paths below them.
 */
import type {
  AnyActorLogic,
  AnyEventObject,
  EventFromLogic,
  EventObject,
  InputFrom,
  SnapshotFrom,
} from 'xstate';
import type { AnyChildSpec, ChildInput, InputScope, SupervisorSpec } from './child-spec.ts';
import type { TemplateChild } from './child-spec.ts';
import type { AskOptions } from './delivery/asks.ts';
import type { DurableReceipt } from './durable/acknowledgements.ts';
import type { SendDurably } from './durable/send-durably.ts';
import type { DynamicPath } from './dynamic-path.ts';
import type { StartChildResult } from './operations.ts';
import type { WatchEvent } from './reports/names.ts';
import type { SupervisorHandle, Tree } from './tree.types.ts';

/** A path and what stands there. */
interface Place<Path extends string, Spec> {
  readonly path: Path;
  readonly spec: Spec;
}

/** `Spec` at `Path`, and everything below it, as a union. */
type PlacesOf<Spec, Path extends string> = Place<Path, Spec> | PlacesBelow<Spec, Path>;

type PlacesBelow<Spec, Path extends string> = Spec extends {
  readonly type: 'supervisor';
  readonly strategy: 'simple_one_for_one';
  readonly children: readonly (infer Template)[];
}
  ? PlacesOf<Template, `${Path}/${string}`>
  : Spec extends { readonly type: 'supervisor'; readonly children: readonly (infer Child)[] }
    ? ChildPlaces<Child, Path>
    : never;

/** Distributes over the children. */
type ChildPlaces<Child, Path extends string> = Child extends {
  readonly id: infer Id extends string;
}
  ? PlacesOf<Child, `${Path}/${Id}`>
  : never;

type Places<Root extends SupervisorSpec> = PlacesOf<Root, Root['id']>;

/** Every path of the static tree; below a template any id, typed as the template. */
export type PathOf<Root extends SupervisorSpec> = Places<Root>['path'];

/** What stands at a path. */
type SpecAt<Root extends SupervisorSpec, Path extends string> =
  Places<Root> extends infer Found
    ? Found extends Place<infer At, infer Spec>
      ? Path extends At
        ? Spec
        : never
      : never
    : never;

type LogicAt<Root extends SupervisorSpec, Path extends string> =
  SpecAt<Root, Path> extends { readonly logic: infer Logic extends AnyActorLogic } ? Logic : never;

/** Paths at which there is a supervisor. */
export type SupervisorPathOf<Root extends SupervisorSpec> =
  Places<Root> extends infer Found
    ? Found extends Place<infer At, { readonly type: 'supervisor' }>
      ? At
      : never
    : never;

/** Paths that take events. */
export type WorkerPathOf<Root extends SupervisorSpec> = Exclude<
  PathOf<Root>,
  SupervisorPathOf<Root>
>;

/** The events that the child at a path takes. */
export type EventAt<Root extends SupervisorSpec, Path extends string> = EventFromLogic<
  LogicAt<Root, Path>
>;

/** The snapshots that the child at a path shows. */
export type SnapshotAt<Root extends SupervisorSpec, Path extends string> = SnapshotFrom<
  LogicAt<Root, Path>
>;

/** What may be started below the supervisor at a path. */
export type NewChildAt<Root extends SupervisorSpec, Path extends string> =
  SpecAt<Root, Path> extends {
    readonly strategy: 'simple_one_for_one';
    readonly children: readonly [{ readonly logic: infer Logic extends AnyActorLogic }];
  }
    ? { readonly id?: string } & ChildInput<Logic>
    : AnyChildSpec;

type AnySnapshot = ReturnType<Tree['snapshotOf']>;

/** A `Tree` that knows its spec. Paths that only exist at run time go through `dynamicPath`. */
export interface TypedTree<Root extends SupervisorSpec> extends Omit<
  Tree,
  'send' | 'sendDurably' | 'ask' | 'snapshotOf' | 'supervisor' | 'startChild' | 'watch'
> {
  send<Path extends WorkerPathOf<Root> | DynamicPath>(
    path: Path,
    event: Path extends DynamicPath ? AnyEventObject : EventAt<Root, Path>,
  ): boolean;
  sendDurably<Path extends WorkerPathOf<Root> | DynamicPath>(
    path: Path,
    event: Path extends DynamicPath ? AnyEventObject : EventAt<Root, Path>,
    options?: SendDurably,
  ): Promise<DurableReceipt>;
  ask<Path extends WorkerPathOf<Root> | DynamicPath>(
    path: Path,
    event: Path extends DynamicPath ? AnyEventObject : EventAt<Root, Path>,
    options?: AskOptions,
  ): Promise<EventObject>;
  snapshotOf<Path extends PathOf<Root> | DynamicPath>(
    path: Path,
  ): Path extends WorkerPathOf<Root> ? SnapshotAt<Root, Path> | undefined : AnySnapshot;
  supervisor(path: SupervisorPathOf<Root> | DynamicPath): SupervisorHandle | undefined;
  startChild<Path extends SupervisorPathOf<Root> | DynamicPath>(
    path: Path,
    spec: Path extends DynamicPath ? AnyChildSpec | TemplateChild : NewChildAt<Root, Path>,
  ): Promise<StartChildResult>;
  watch(path: PathOf<Root> | DynamicPath, listener: (event: WatchEvent) => void): () => void;
}

/** The tree of a spec: typed as far as the spec is written down. */
export type TreeOf<Root extends SupervisorSpec> = string extends Root['id']
  ? Tree
  : TypedTree<Root>;

/** A literal that was inferred as constant may be given where it could be changed. */
type Constant<T> = T extends (...args: never) => unknown
  ? T
  : T extends object
    ? { readonly [Key in keyof T]: Constant<T[Key]> }
    : T;

/** What may be given as the input of a logic. */
type InputOf<Logic extends AnyActorLogic> =
  | Constant<InputFrom<Logic>>
  | ((scope: InputScope) => InputFrom<Logic>);

type IsAny<T> = 0 extends 1 & T ? true : false;

/** What is wrong with the input of one child; `never` if nothing is, or if it cannot be known. */
type InputFault<Child, Path extends string> = Child extends {
  readonly logic: infer Logic extends AnyActorLogic;
}
  ? IsAny<InputFrom<Logic>> extends true
    ? never
    : 'input' extends keyof Child
      ? unknown extends Child['input']
        ? never
        : Child['input'] extends InputOf<Logic>
          ? never
          : `${Path} takes another input`
      : undefined extends InputFrom<Logic>
        ? never
        : `${Path} needs an input`
  : never;

/** Whether a path stands for many, such as `house/pool/${string}`. */
type IsPattern<Path extends string> =
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- no key is required
  Pick<InputScope, never> extends Record<Path, true> ? true : false;

/** A child of a template may get its input when it is started. */
type PlaceFault<Found> =
  Found extends Place<infer Path, infer Spec>
    ? IsPattern<Path> extends true
      ? never
      : InputFault<Spec, Path>
    : never;

type Faults<Spec extends SupervisorSpec> = PlaceFault<Places<Spec>>;

/** Nothing more than the spec, unless an input is wrong or missing: then what cannot be given. */
export type CheckedSpec<Spec extends SupervisorSpec> = [Faults<Spec>] extends [never]
  ? unknown
  : { readonly 'wrong input': Faults<Spec> };

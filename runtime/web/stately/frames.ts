/**
 * What `@statelyai/inspect` 0.7 sends and its receivers take, as JSON. Where XState has a session id,
 * these have the path: a receiver then keeps an actor over its restarts. Secrets are replaced.
 */
import type { AnyStateMachine, EventObject, Snapshot } from 'xstate';
import { idOf, parentOf } from '../recorder/actor.ts';
import { machineOfSnapshot } from '../recorder/chart-registry.ts';
import { shown } from '../recorder/redact.ts';

/** The protocol's version is that of the package that speaks it. */
const PROTOCOL = '0.7.2';

/** One actor, as frames say of it. */
export interface FramedActor {
  readonly path: string;
  readonly atMs: number;
  readonly rootPath: string;
}

const common = ({ path, atMs, rootPath }: FramedActor) => ({
  sessionId: path,
  rootId: rootPath,
  createdAt: String(atMs),
  id: null,
  _version: PROTOCOL,
});

/** The actor is there; `name` where it has no machine, and no name of its own. */
export function actorFrame(
  actor: FramedActor,
  snapshot: Snapshot<unknown> | undefined,
  name = idOf(actor.path),
): string {
  return JSON.stringify({
    type: '@xstate.actor',
    ...common(actor),
    name,
    parentId: parentOf(actor.path) ?? undefined,
    definition: definitionOf(machineOfSnapshot(snapshot)) ?? JSON.stringify({ id: name }),
    snapshot: framed(snapshot),
  });
}

/** It handles an event. */
export const eventFrame = (
  actor: FramedActor,
  event: EventObject,
  source: string | undefined,
): string =>
  JSON.stringify({
    type: '@xstate.event',
    ...common(actor),
    event: shown(event),
    sourceId: source,
  });

/** It has handled one. */
export const snapshotFrame = (
  actor: FramedActor,
  event: EventObject,
  snapshot: Snapshot<unknown>,
): string =>
  JSON.stringify({
    type: '@xstate.snapshot',
    ...common(actor),
    event: shown(event),
    snapshot: framed(snapshot),
  });

function framed(snapshot: Snapshot<unknown> | undefined) {
  if (snapshot === undefined) return { status: 'active' };
  const { status, output, error } = snapshot;
  const { value, context } = snapshot as Snapshot<unknown> & { value?: unknown; context?: unknown };
  return {
    status,
    ...(value === undefined ? {} : { value: shown(value) }),
    ...(context === undefined ? {} : { context: shown(context) }),
    ...(output === undefined ? {} : { output: shown(output) }),
    ...(error === undefined ? {} : { error: shown(error) }),
  };
}

const definitions = new WeakMap<object, string>();

/**
 * Its config without the context that it begins with, which may hold secrets; a function is its name.
 * The same for all actors of a machine.
 */
function definitionOf(machine: AnyStateMachine | undefined): string | undefined {
  if (machine === undefined) return undefined;
  const config = machine.config as object;
  const known = definitions.get(config);
  if (known !== undefined) return known;
  const facts = { id: machine.id, ...config, context: undefined };
  const made = JSON.stringify(facts, (_key, value: unknown) =>
    typeof value === 'function' ? { type: value.name } : value,
  );
  definitions.set(config, made);
  return made;
}

/** How the next incarnation of a durable child starts: from its record, or fresh. */
import type { Cell, CellDurability } from '../delivery/cell.ts';
import type { Child } from '../child.ts';
import type { ChildSpec, InputScope } from '../child-spec.ts';
import { RESUME_COMMAND, restoreFamily, tagOf, waitMsOf } from '../xstate-durable.ts';
import { declares } from '../xstate-shape.ts';
import type { DurableActor } from './durable-actor.ts';
import type { Ledger, Resumable } from './ledger.ts';
import type { DurableRecord } from './record.ts';
import { resumeOf } from './resume-options.ts';
import type { Past } from './resume-options.ts';

/** What an incarnation is made from. */
export interface Origin {
  readonly snapshot?: unknown;
  /** Makes its input in place of its spec; what that throws is the start's failure. */
  readonly input?: () => unknown;
  readonly durability?: CellDurability;
  /** It must not start, because of this. */
  readonly error?: unknown;
}

/**
 * Starts a durable child; undefined for one that is not durable. A record that cannot be trusted,
 * or that the machine does not start from, is set aside, and the child starts fresh. A journal that
 * does not answer fails the start: fresh would be half-way.
 */
export function startDurable(
  child: Child,
  spec: ChildSpec,
  spawn: (origin: Origin) => Cell,
): Cell | undefined {
  const { ledger } = child.supervisor.scope;
  const options = ledger && resumeOf(spec);
  if (!options) return undefined;
  const actor = ledger.actorOf(child.path, options, tagOf(spec.logic, options.version));
  child.durable = actor;
  try {
    const resumable = ledger.load(actor);
    const cell = resumable && resume(child, spec, actor, ledger, resumable, spawn);
    if (cell) return cell;
  } catch (error) {
    return spawn({ error });
  }
  actor.begin(undefined);
  const cell = spawn({ durability: actor });
  actor.attach(cell);
  return cell;
}

function resume(
  child: Child,
  spec: ChildSpec,
  actor: DurableActor,
  ledger: Ledger,
  { record, text }: Resumable,
  spawn: (origin: Origin) => Cell,
): Cell | undefined {
  const { host, clock } = child.supervisor.scope;
  actor.begin({ text, failures: record.failures ?? 0 });
  const { beginAnew } = actor.options;
  const cell = spawn({
    ...(beginAnew
      ? { input: () => beginAnew(pastOf(record, inputOf(child, spec), clock.now())) }
      : { snapshot: record.snapshot }),
    durability: actor,
  });
  if (cell.exit?.type === 'error') {
    ledger.refuse(actor, cell.exit.cause);
    actor.attach(cell);
    return undefined;
  }
  if (beginAnew) {
    actor.attach(cell);
    return cell;
  }
  restoreFamily(host, cell, record, clock.now());
  actor.attach(cell);
  if (declares(spec.logic, 'resume')) cell.post(undefined, RESUME_COMMAND);
  return cell;
}

/** What the spec gives a fresh start. */
export function inputOf(child: Child, spec: ChildSpec): unknown {
  if (typeof spec.input !== 'function') return spec.input;
  const input = spec.input as (scope: InputScope) => unknown;
  return input({ path: child.path, incarnation: child.incarnation });
}

const pastOf = (
  { snapshot, deadlines = [] }: DurableRecord,
  input: unknown,
  nowMs: number,
): Past => ({
  snapshot,
  input,
  leftMs: (type) => {
    const found = deadlines.find(({ of, event }) => of.length === 0 && event.type.startsWith(type));
    return found && waitMsOf(found, nowMs);
  },
});

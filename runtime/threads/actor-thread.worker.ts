/**
 * The inside of an actor's thread: loads the logic and runs it in the same host that a tree has, so
 * that its own children, its timers and its crashes behave as they do outside. Each batch of mail is
 * answered with at most one snapshot, taken when the batch has been handled.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { AnyActorLogic, EventObject, Snapshot } from 'xstate';
import { Fifo } from '../../supervisor/delivery/fifo.ts';
import { RunQueue } from '../../supervisor/delivery/run-queue.ts';
import type { Cell, CellOwner } from '../../supervisor/delivery/cell.ts';
import { supervisorError } from '../../supervisor/errors.ts';
import type { ExitReason, ThreadSnapshot } from '../../supervisor/index.ts';
import { assertClonable } from '../../supervisor/placement/clonable.ts';
import { ActorHost } from '../../supervisor/xstate-adapter.ts';
import { ParentPort, declares } from '../../supervisor/xstate-shape.ts';
import { nodeAttribution } from '../adapters/attribution.node.ts';
import { systemClock } from '../adapters/clock.system.ts';
import { loadLogic } from './load-logic.ts';
import { ThreadShow } from './shown.ts';
import { BEATS, BEGUN, packError, packReason } from './wire.ts';
import type { ThreadData, ToThread, WireFact } from './wire.ts';

const STOP: EventObject = { type: 'stop' };
const RESUME: EventObject = { type: 'resume' };

const { order, counters, beatMs } = workerData as ThreadData;
const { path, incarnation } = order;
const queue = new RunQueue((slice) => {
  setImmediate(slice);
});
const host = new ActorHost({
  clock: systemClock,
  queue,
  attribution: nodeAttribution,
  hasPlans: true,
  logger: (line) => tell({ type: 'line.logged', line }),
  root: path.split('/', 1)[0] ?? path,
  listener: {
    undeliverable: (to, event) => tell({ type: 'mail.lost', path: to, event }),
    mail: (to, event) => {
      assertClonable('An event from a thread to', to, event);
      tell({ type: 'mail.sent', path: to, event });
    },
    stray: (of, _incarnation, error) =>
      tell({ type: 'error.stray', path: of, error: packError(error) }),
  },
});

let cell: Cell | undefined;
let show: ThreadShow | undefined;
let outbox: WireFact[] = [];
let isChanged = false;
let isFlushing = false;
/** Letters from outside that the actor has not begun to handle. */
const expected = new Fifo<EventObject>();
let next: EventObject | undefined;

function tell(fact: WireFact): void {
  outbox.push(fact);
  flushSoon();
}

/** After all that is due now, so that many changes cost one message. */
function flushSoon(): void {
  if (isFlushing) return;
  isFlushing = true;
  setImmediate(flush);
}

function flush(): void {
  isFlushing = false;
  if (isChanged && cell?.actor && !cell.exit)
    outbox.push({ type: 'thread.seen', snapshot: snapshotOf(cell) });
  isChanged = false;
  const facts = outbox;
  outbox = [];
  post(facts);
}

/** What cannot be cloned is a fault of this child: it ends with it. */
function post(facts: readonly WireFact[]): void {
  try {
    parentPort?.postMessage(facts, []);
  } catch (cause) {
    const error = supervisorError(
      'MESH_ERR_SUPERVISOR_THREAD_UNCLONABLE',
      `What ${path} shows or emits cannot leave its thread.`,
      { cause, details: { path } },
    );
    const fact: WireFact = {
      type: 'thread.ended',
      reason: { type: 'error', cause: packError(error) },
    };
    parentPort?.postMessage([fact], []);
  }
}

function snapshotOf({ actor }: Cell): ThreadSnapshot {
  const seen = actor?.getSnapshot() as Snapshot<unknown> & { readonly tags?: Set<string> };
  const persisted = actor?.getPersistedSnapshot() as Snapshot<unknown>;
  // An error is told as the reason of the end, in a form that keeps its code.
  const { error: _error, ...rest } = persisted;
  const copy = { ...rest, error: undefined } as Snapshot<unknown>;
  const shown = show?.take();
  return {
    persisted: copy,
    ...(seen.tags ? { tags: [...seen.tags] } : {}),
    ...(shown === undefined ? {} : { shown }),
  };
}

const owner: CellOwner = {
  path,
  cellEnded: (at, reason) => {
    // Its unread mail is known outside, by the count of what was begun.
    while (at.take());
    ended(reason);
  },
};

function ended(reason: ExitReason): void {
  const fact = { type: 'thread.ended', reason: packReason(reason) } as const;
  const hasSnapshot = cell?.actor !== undefined && reason.type !== 'error';
  tell(hasSnapshot && cell ? { ...fact, snapshot: snapshotOf(cell) } : fact);
}

function begin(logic: AnyActorLogic): void {
  const parent = new ParentPort('', path.slice(0, path.lastIndexOf('/')), host.system);
  const id = path.slice(path.lastIndexOf('/') + 1);
  show = new ThreadShow(logic);
  cell = host.spawn(owner, incarnation, parent, logic, {
    id,
    input: () => order.input,
    snapshot: order.snapshot,
    durability: undefined,
  });
  if (cell.exit?.type === 'error') return;
  cell.actor?.on('*', (event) => tell({ type: 'event.emitted', event }));
  // Its error comes as the end of the cell; without this XState would throw it globally.
  cell.actor?.subscribe({ next: changed, error: () => {} });
  if (order.snapshot !== undefined && declares(logic, 'resume')) cell.post(undefined, RESUME);
  tell({ type: 'thread.seen', snapshot: snapshotOf(cell) });
}

function changed(): void {
  isChanged = true;
  flushSoon();
}

function receive(message: ToThread): void {
  if (!cell || cell.exit) return;
  if (message.type === 'stop') stop(cell);
  else
    for (const event of message.events) {
      if (next === undefined) next = event;
      else expected.push(event);
      cell.post(undefined, event);
    }
}

function stop(at: Cell): void {
  const { actor } = at;
  if (actor && declares((actor as unknown as { logic: AnyActorLogic }).logic, 'stop')) {
    at.post(undefined, STOP);
    return;
  }
  const cause = host.stop(at);
  ended(cause === undefined ? { type: 'shutdown' } : { type: 'error', cause });
}

/** Counted before it is handled: the letter that crashes an actor, or blocks it, is not given again. */
function countBegun(at: unknown, event: EventObject): void {
  if (at !== cell) return;
  show?.delivered(event);
  if (event !== next) return;
  Atomics.add(counters, BEGUN, 1);
  next = expected.shift();
}

host.inspection = {
  delivered: countBegun,
  started: () => undefined,
  stopped: () => undefined,
  stepped: (at, transitions) => {
    // Nothing else that runs in a thread is shown.
    if (at.path === path) show?.stepped(transitions);
  },
  changed: () => undefined,
  timed: () => undefined,
};

const beat = (): void => {
  Atomics.add(counters, BEATS, 1);
};

nodeAttribution.onError((cause, error) => host.attribute(cause, error));
const early: ToThread[] = [];
const wait = (message: ToThread): void => {
  early.push(message);
};
parentPort?.on('message', wait);
try {
  begin(await loadLogic(path, order.place));
  beat();
  if (beatMs > 0) setInterval(beat, beatMs).unref();
} catch (cause) {
  ended({ type: 'error', cause });
}
parentPort?.off('message', wait);
parentPort?.on('message', receive);
for (const message of early) receive(message);

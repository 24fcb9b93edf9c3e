import type { AnyActorRef, EventObject, Snapshot } from 'xstate';
import type { Child } from './child.ts';
import { checkSupervisorSpec } from './check-spec.ts';
import type { SupervisorSpec } from './child-spec.ts';
import { Asks } from './delivery/asks.ts';
import type { AskOptions } from './delivery/asks.ts';
import { DeadLetters } from './delivery/dead-letters.ts';
import type { DeadLetterReason } from './delivery/dead-letters.ts';
import { describeTree } from './describe.ts';
import type { TreeNode } from './describe.ts';
import { eventRefused } from './durable/acknowledgements.ts';
import type { DurableReceipt } from './durable/acknowledgements.ts';
import type { Journal } from './durable/journal.ts';
import { Ledger } from './durable/ledger.ts';
import { sendDurably } from './durable/send-durably.ts';
import type { SendDurably } from './durable/send-durably.ts';
import { supervisorError } from './errors.ts';
import { codedCause, exitReasonJson } from './restart/exit-reason.ts';
import type { ExitReason } from './restart/exit-reason.ts';
import { assertEvent, sendToChild } from './delivery/mail.ts';
import { Watchers } from './reports/names.ts';
import type { DownEvent, WatchEvent } from './reports/names.ts';
import { actorsOf } from './inspection/actors-of.ts';
import { Inspection } from './inspection/inspection.ts';
import type { InspectOptions, TreeInspection } from './inspection/inspection.types.ts';
import type { TreeOptions } from './ports.ts';
import { Listeners } from './reports/reports.ts';
import type { SupervisorReport } from './reports/reports.ts';
import { RunQueue, microtask } from './delivery/run-queue.ts';
import { Supervisor } from './supervisor.ts';
import type { SupervisorOwner } from './supervisor.ts';
import type { TreeScope } from './tree-scope.ts';
import { TreeOperations } from './tree-operations.ts';
import type { Tree } from './tree.types.ts';
import { ActorHost } from './xstate-adapter.ts';

/**
 * Makes a tree; nothing runs before `start`. Throws `MESH_ERR_SUPERVISOR_SPEC_INVALID` for a spec
 * that cannot be meant.
 */
export function createTree(spec: SupervisorSpec, options: TreeOptions): Tree {
  checkSupervisorSpec(spec);
  return new RootedTree(spec, options);
}

class RootedTree extends TreeOperations implements Tree {
  readonly path: string;
  readonly deadLetters = new DeadLetters();
  readonly ended: Promise<ExitReason>;
  readonly #root: Supervisor;
  readonly #scope: TreeScope;
  readonly #options: TreeOptions;
  readonly #started: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #end: PromiseWithResolvers<ExitReason> = Promise.withResolvers();
  #isStarted = false;
  #hasEnded = false;
  #stopListening: (() => void) | undefined;

  constructor(spec: SupervisorSpec, options: TreeOptions) {
    super();
    this.path = spec.id;
    this.#options = options;
    this.#scope = this.#createScope(options);
    this.ended = this.#end.promise;
    const owner: SupervisorOwner = {
      path: undefined,
      ready: () => this.#ready(),
      ended: (reason) => this.#ended(reason),
    };
    this.#root = this.#scope.nest(spec, spec.id, 1, owner, new Map());
  }

  #createScope(options: TreeOptions): TreeScope {
    const { clock, random, defer, attribute, logger, journal, threads } = options;
    const queue = new RunQueue(defer, clock);
    const letter = (path: string, event: EventObject, reason: DeadLetterReason): void =>
      this.deadLetters.add({ path, event, reason, atMs: clock.now() });
    const reports = new Listeners<SupervisorReport>(logger);
    const stray = (path: string, incarnation: number, error: unknown): void => {
      const cause = codedCause(path, error).toJSON();
      reports.emit({ type: 'stray_error', atMs: clock.now(), path, incarnation, cause });
    };
    const host = new ActorHost({
      clock,
      queue,
      logger,
      attribution: attribute,
      hasPlans: options.plans ?? true,
      listener: { undeliverable: letter, stray, mail: (...args) => this.#mail(...args) },
      root: this.path,
    });
    const ledger = journal && this.#createLedger(options, journal, host, reports);
    if (ledger)
      this.deadLetters.onLetter = ({ event, reason }) =>
        ledger.acknowledgements.refuse(event, reason);
    const scope: TreeScope = {
      clock,
      random,
      queue,
      host,
      reports,
      watchers: new Watchers(logger),
      inspection: this.#createInspection(options, host, stray),
      deadLetters: this.deadLetters,
      asks: new Asks(this.path, clock),
      ledger,
      threads,
      logger,
      mail: (...args) => this.#mail(...args),
      letter,
      stray,
      nest: (...args) => new Supervisor(scope, ...args),
    };
    return scope;
  }

  #createInspection(
    { clock, defer }: TreeOptions,
    host: ActorHost,
    stray: TreeScope['stray'],
  ): Inspection {
    const inspection: Inspection = new Inspection({
      clock,
      defer: defer ?? microtask,
      describe: () => ({ tree: this.describe(), actors: actorsOf(this.#root) }),
      switched: (isOn) => {
        host.inspection = isOn ? inspection : undefined;
        this.deadLetters.onInspect = isOn ? (letter) => inspection.lost(letter) : undefined;
      },
      failed: (cause) => stray(this.path, 1, observerFailed(this.path, cause)),
    });
    return inspection;
  }

  #createLedger(
    { clock, defer }: TreeOptions,
    journal: Journal,
    host: ActorHost,
    reports: Listeners<SupervisorReport>,
  ): Ledger {
    const say = (type: 'stray_error' | 'quarantine', path: string, error: unknown): void => {
      const incarnation = this.#find(path)?.incarnation ?? 0;
      const cause = codedCause(path, error).toJSON();
      reports.emit({ type, atMs: clock.now(), path, incarnation, cause });
    };
    return new Ledger({
      journal,
      clock,
      defer: defer ?? microtask,
      host: {
        fail: (cell, error) => host.fail(cell, error),
        run: (cell, effect) => host.release(cell, effect),
        stray: (path, error) => say('stray_error', path, error),
        setAside: (path, error) => say('quarantine', path, error),
      },
    });
  }

  start(): Promise<void> {
    if (this.#hasEnded) return Promise.reject(startAborted(this.path, 'has ended already'));
    if (!this.#isStarted) {
      this.#isStarted = true;
      const { host, queue } = this.#scope;
      this.#stopListening = this.#options.attribute?.onError((owner, error) =>
        host.attribute(owner, error),
      );
      queue.post({ run: () => (this.#root.start(), 1) });
    }
    return this.#started.promise;
  }

  async stop(): Promise<void> {
    if (!this.#isStarted) return;
    this.#scope.queue.post({ run: () => (this.#root.shutdown({ type: 'shutdown' }), 1) });
    await this.ended;
    await this.#scope.threads?.settled();
  }

  #ready(): void {
    this.#scope.watchers.emit({ type: 'up', path: this.path, incarnation: 1 });
    this.#started.resolve();
  }

  #ended(reason: ExitReason): void {
    this.#scope.ledger?.close();
    this.#hasEnded = true;
    this.#stopListening?.();
    this.#scope.watchers.emit({
      type: 'down',
      path: this.path,
      incarnation: 1,
      reason: exitReasonJson(this.path, reason),
    });
    // Whoever awaits start() must not hang; when start has succeeded this is without effect.
    this.#started.reject(startError(this.path, reason));
    // Nobody has to await start() only to keep a failed start from ending the process.
    this.#started.promise.catch(() => {});
    this.#end.resolve(reason);
  }

  send(path: string, event: EventObject): boolean {
    assertEvent(path, event);
    return this.#mail(path, event, undefined);
  }

  async ask(path: string, event: EventObject, options: AskOptions = {}): Promise<EventObject> {
    assertEvent(path, event);
    return this.#scope.asks.ask(path, event, options, (asked) =>
      this.#mail(path, asked, undefined),
    );
  }

  sendDurably(
    path: string,
    event: EventObject,
    options: SendDurably = {},
  ): Promise<DurableReceipt> {
    const found = this.#find(path);
    if (found instanceof Supervisor) return Promise.reject(eventRefused(path, 'supervisor'));
    return sendDurably(found, path, event, options);
  }

  #mail(path: string, event: EventObject, source: AnyActorRef | undefined): boolean {
    const found = this.#find(path);
    if (found && !(found instanceof Supervisor)) return sendToChild(found, event, source);
    const { asks } = this.#scope;
    if (asks.answer(path, event)) return true;
    const absent = asks.isAddress(path) ? 'late_answer' : 'not_found';
    const reason = found ? 'supervisor' : absent;
    this.deadLetters.add({ path, event, reason, atMs: this.#scope.clock.now() });
    return false;
  }

  snapshotOf(path: string): Snapshot<unknown> | undefined {
    return this.#find(path)?.snapshot;
  }

  watch(path: string, listener: (event: WatchEvent) => void): () => void {
    return this.#scope.watchers.add(path, listener);
  }

  monitor(path: string, listener: (event: DownEvent) => void): () => void {
    const { queue, watchers } = this.#scope;
    const found = this.#find(path);
    const isAlive = found instanceof Supervisor ? found.status !== 'stopped' : found?.isAlive;
    return watchers.monitor(path, isAlive === true, queue, listener);
  }

  onReport(listener: (report: SupervisorReport) => void): () => void {
    return this.#scope.reports.add(listener);
  }

  inspect(observer: (seen: TreeInspection) => void, options: InspectOptions = {}): () => void {
    return this.#scope.inspection.observe(observer, options);
  }

  describe(): TreeNode {
    return describeTree(this.#root);
  }

  protected override supervisorAt(path: string): Supervisor | undefined {
    const found = this.#find(path);
    return found instanceof Supervisor ? found : found?.nested;
  }

  /** Walks the path; ids hold no slash. */
  #find(path: string): Child | Supervisor | undefined {
    if (path === this.path) return this.#root;
    if (!path.startsWith(`${this.path}/`)) return undefined;
    let supervisor: Supervisor | undefined = this.#root;
    let from = this.path.length + 1;
    while (supervisor) {
      const to = path.indexOf('/', from);
      const child: Child | undefined = supervisor.table.get(
        to < 0 ? path.slice(from) : path.slice(from, to),
      );
      if (to < 0 || !child) return child;
      supervisor = child.nested;
      from = to + 1;
    }
    return undefined;
  }
}

const observerFailed = (path: string, cause: unknown): Error =>
  supervisorError(
    'MESH_ERR_SUPERVISOR_OBSERVER_FAILED',
    `An observer of ${path} threw and was removed.`,
    { cause, details: { path } },
  );

function startError(path: string, reason: ExitReason): unknown {
  if (reason.type === 'error') return reason.cause;
  const cause = reason.type === 'shutdown' ? reason.cause : undefined;
  return startAborted(path, `ended with ${reason.type} before all its children were ready`, cause);
}

const startAborted = (path: string, found: string, cause?: unknown): Error =>
  supervisorError('MESH_ERR_SUPERVISOR_START_ABORTED', `Starting ${path}, which ${found}.`, {
    cause,
    details: { path },
  });

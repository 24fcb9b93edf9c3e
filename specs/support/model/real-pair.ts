/** One slot of a real tree over real parts, led along a path of the agent/app machine's graph. */
import type { AnyMachineSnapshot, EventObject } from 'xstate';
import {
  agentAppChildSpec,
  createAgentAppLogic,
} from '../../../actors/workload/agent-app.actor.ts';
import { createInstanceLogic } from '../../../actors/workload/instance.actor.ts';
import { INSTANCES_ID, nodePath, pairPath } from '../../../actors/workload/paths.ts';
import type { WorkloadPorts } from '../../../actors/workload/ports/instance.ts';
import type { agentAppMachine } from '../../../machines/workload/agent-app.machine.ts';
import type { InstanceRecord } from '../../../machines/workload/instance-record.ts';
import type { Reason } from '../../../machines/workload/plan.ts';
import { goalOf } from '../../../machines/workload/succession.ts';
import type { AgentAppContext } from '../../../machines/workload/succession.ts';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { systemRandom } from '../../../runtime/adapters/random.system.ts';
import { createTree } from '../../../supervisor/index.ts';
import { stateText } from '../../../supervisor/describe.ts';
import type { Tree } from '../../../supervisor/index.ts';
import { SLOT, assignment } from '../workload-samples.ts';
import { leavesAt } from './covering-paths.ts';
import type { Chosen } from './covering-paths.ts';
import { Gates } from './gates.ts';

import { noting } from './noting.ts';
import { RealWorld, until } from './real-world.ts';
import { suffixOf } from './workload-models.ts';

/** Transitions that real actors took, by machine. */
export interface TakenForReal {
  readonly pair: Set<string>;
  readonly instance: Set<string>;
}

const DELAYS = [
  'backoff',
  'STABLE_AFTER_MS',
  'CANDIDATE_TIMEOUT_MS',
  'LEAVE_TIMEOUT_MS',
  'FABRIC_TIMEOUT_MS',
  'ADOPT_TIMEOUT_MS',
] as const;
/** A deadline that the path waits for, and one that it does not. */
const [SOON_MS, NEVER_MS] = [60, 600_000];
const SLOW_MS = 100;

/** Where both must stand; times, ports, logs and the words of a failure are the real world's. */
function standing({ value, context }: Pick<AnyMachineSnapshot, 'value' | 'context'>): string {
  const { desired, active, candidate, retiring, phase, failures, restarts, hadServed } =
    context as AgentAppContext;
  const wanted = desired && [desired.permission, desired.strategy, desired.digest.slice(0, 1)];
  return JSON.stringify({
    value: stateText(value),
    wanted,
    active: active?.instance,
    candidate: candidate?.instance,
    retiring,
    phase,
    failures,
    restarts,
    hadServed,
  });
}

const CRASHED = 'crashed';

/** A model stands in `crashing`, or in an error, where an actor is gone. */
const standingOf = (snapshot: AnyMachineSnapshot): string =>
  snapshot.status === 'error' || snapshot.value === 'crashing' ? CRASHED : standing(snapshot);

class RealPair implements AsyncDisposable {
  readonly world = new RealWorld();
  readonly gates = new Gates();
  readonly tree: Tree;
  readonly #taken: TakenForReal;
  readonly #path = pairPath(SLOT);
  /** The steps whose deadlines are to be short: the one under way and what follows it. */
  due: readonly (EventObject | undefined)[] = [];
  /** Where the slot stood, one state after the other. */
  readonly stood: string[] = [];
  readonly took = new Set<string>();
  reason: Reason | null = null;
  isDefect = false;

  constructor(taken: TakenForReal) {
    this.#taken = taken;
    this.tree = createTree(
      {
        id: 'mesh',
        type: 'supervisor',
        children: [
          {
            id: 'agents',
            type: 'supervisor',
            children: [
              {
                id: SLOT.node,
                type: 'supervisor',
                children: [{ id: INSTANCES_ID, type: 'supervisor' }],
              },
            ],
          },
        ],
      },
      { clock: systemClock, random: systemRandom, defer: (slice) => void setImmediate(slice) },
    );
  }

  /** The store itself, whose answers to the slot wait until the path has come to them. */
  #held(): WorkloadPorts['fabric'] {
    const { fabric } = this.world;
    let isRecovered = false;
    const held = async <Result>(name: string, call: () => Promise<Result>): Promise<Result> => {
      await this.gates.wait(name);
      return call();
    };
    const changes: Partial<WorkloadPorts['fabric']> = {
      instances: (filter) => {
        if (isRecovered) return fabric.instances(filter);
        isRecovered = true;
        return held('recoverSlot', () => fabric.instances(filter));
      },
      recordInstance: (record) => held('recordInstance', () => fabric.recordInstance(record)),
      // Both are in the store when their answer is late or lost.
      promote: async (...given) => {
        await fabric.promote(...given);
        return this.gates.wait('switchTraffic');
      },
      reportSlot: async (report) => {
        await fabric.reportSlot(report);
        return this.gates.wait('reportSlot');
      },
    };
    return Object.assign(Object.create(fabric) as WorkloadPorts['fabric'], changes);
  }

  async begin(found: readonly InstanceRecord[]): Promise<void> {
    const { world, tree } = this;
    await tree.start();
    for (const record of found) await world.serve({ ...record, token: systemRandom.hex(16) });
    const shared: WorkloadPorts = { ...world.ports(), tree };
    const instances = createInstanceLogic({
      ...shared,
      random: { ...systemRandom, fraction: () => this.#fraction() },
    });
    const pairs = createAgentAppLogic(
      {
        ...shared,
        fabric: this.#held(),
        random: { ...systemRandom, hex: (bytes) => this.#hex(bytes) },
      },
      SLOT,
      noting(instances, (name) => this.#taken.instance.add(name)),
    );
    const due = (name: string) => (): number =>
      this.due.some((event) => event?.type.startsWith(`xstate.after.${name}.`))
        ? SOON_MS
        : NEVER_MS;
    const delays = Object.fromEntries(DELAYS.map((name) => [name, due(name)]));
    const logic = noting(
      pairs.provide({ delays }),
      (name) => {
        this.took.add(name);
        this.#taken.pair.add(name);
      },
      (snapshot) => {
        this.stood.push(standingOf(snapshot));
        this.reason = (snapshot.context as AgentAppContext).reason;
      },
    );
    const spec = agentAppChildSpec(logic, SLOT, () => assignment());
    // It is looked at as it ended; a restart would begin anew.
    await tree.startChild(nodePath(SLOT.node), { ...spec, restart: 'temporary' });
  }

  /** Ids are those of the model: one for each digest. */
  #hex(bytes: number): string {
    const { context } = this.tree.snapshotOf(this.#path) as AnyMachineSnapshot;
    const goal = goalOf(context as AgentAppContext);
    return bytes === 4 && goal ? suffixOf(goal) : systemRandom.hex(bytes);
  }

  /** An instance's actor asks for it as it tells of its end. */
  #fraction(): number {
    if (this.isDefect) throw new Error('A defect of an instance.');
    return 0;
  }

  /** It crashed where it should stand elsewhere: nothing more is to come. */
  isLost(expected: string): boolean {
    return expected !== CRASHED && this.stood.at(-1) === CRASHED;
  }

  send(event: EventObject): void {
    this.tree.send(this.#path, event);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tree.stop();
    await this.world[Symbol.asyncDispose]();
  }
}

/** Brings the next event of the path about by what causes it in reality. */
async function cause(pair: RealPair, event: Step): Promise<void> {
  const { type } = event;
  const instance = String(event['instance']);
  const effect = /^xstate\.(done|error)\.actor\.(.*)$/.exec(type);
  if (type === 'instance.ready') pair.world.setHealthy(instance, true);
  else if (type === 'instance.ended') await pair.world.kill(instance);
  else if (type === 'instance.lost') {
    pair.isDefect = true;
    await pair.world.kill(instance);
  } else if (type === 'report.failed') {
    pair.gates.fail('reportSlot', new Error('The disk is full.'));
  } else if (effect) {
    const gate = EFFECTS.find(([state]) => effect[2]?.endsWith(state))?.[1] ?? '';
    await until(
      () => `${gate} is asked for`,
      () => pair.gates.waiting.includes(gate),
    );
    if (effect[1] === 'done') pair.gates.open(gate, undefined);
    else pair.gates.fail(gate, event['error']);
  } else if (!type.startsWith('xstate.after.')) pair.send(event);
}

const EFFECTS = [
  ['recovering', 'recoverSlot'],
  ['starting', 'recordInstance'],
  ['promoting', 'switchTraffic'],
  ['registering', 'switchTraffic'],
] as const;

/** What the service of an instance does by itself, where that is what the path has next. */
function behaviourFor(next: EventObject | undefined): string | undefined {
  if (next?.type === 'instance.ended') return 'exit:1';
  if (next?.type.startsWith('xstate.after.CANDIDATE_TIMEOUT_MS')) return 'never_healthy';
  if (next?.type === 'instance.ready') return `healthy_after:${SLOW_MS},ignore_sigterm`;
  return undefined;
}

type Step = EventObject & Record<string, unknown>;

/** The instance that a step starts. */
const launchedBy = ({ type, output }: Step): string | undefined =>
  /^xstate\.done\.actor\..*starting$/.test(type)
    ? (output as { instance: string }).instance
    : undefined;

/**
 * Leads a slot along the path, whose last step takes the transitions of these `names`; throws where
 * it does not come to stand where the model does.
 */
export async function walkForReal(
  { path, names }: Chosen<typeof agentAppMachine>,
  taken: TakenForReal,
): Promise<void> {
  await using pair = new RealPair(taken);
  const events = [...path.prefix, path.event] as readonly Step[];
  const states = [...path.via, path.to] as unknown as readonly AnyMachineSnapshot[];
  const texts = states.map(({ value }) => stateText(value));
  const recovered = events.find(({ type }) => /^xstate\.done\..*\.recovering$/.test(type));
  pair.due = events.slice(0, 1);
  await pair.begin((recovered?.['output'] as readonly InstanceRecord[] | undefined) ?? []);
  let [isByItself, stoodAt] = [false, 0];
  for (const [at, event] of events.entries()) {
    const launched = launchedBy(event);
    const mode = launched === undefined ? undefined : behaviourFor(events[at + 1]);
    if (launched !== undefined && mode !== undefined) pair.world.modes.set(launched, mode);
    pair.due = events.slice(at, leavesAt(texts, at) + (mode === undefined ? 1 : 2));
    if (!isByItself) await cause(pair, event);
    isByItself = mode !== undefined;
    const expected = states[at] ? standingOf(states[at]) : '';
    await until(
      () =>
        `${path.name}, step ${at + 1} (${event.type}): ${pair.stood.at(-1)} is not ${expected}; ` +
        `the reason is ${JSON.stringify(pair.reason)}`,
      () => pair.stood.includes(expected, stoodAt) || pair.isLost(expected),
    );
    stoodAt = pair.stood.indexOf(expected, stoodAt);
    if (stoodAt === -1) throw new Error(`${path.name}, step ${at + 1} (${event.type}): a crash.`);
  }
  // A step that leads to where it began is seen only here.
  const missing = (): string[] => names.filter((name) => !pair.took.has(name));
  await until(
    () => `${path.name} does not take ${missing().join(', ')}`,
    () => missing().length === 0,
  );
}

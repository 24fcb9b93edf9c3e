/** Where machines come from: this package's by name, anybody's by the path of their module. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { AnyStateMachine } from 'xstate';
import { chartError } from './errors.ts';

interface CatalogRow {
  readonly summary: string;
  readonly load: () => Promise<AnyStateMachine>;
}

/** Every machine of this package by its id, loaded only when it is asked for. */
export const MACHINES: Readonly<Record<string, CatalogRow>> = {
  agent: {
    summary: 'a node: joins, sends heartbeats, keeps a pair for each slot',
    load: async () => (await import('../../machines/workload/agent.machine.ts')).agentMachine,
  },
  'agent-app': {
    summary: 'the agent/app pair: launches, switches, respawns, reverts',
    load: async () =>
      (await import('../../machines/workload/agent-app.machine.ts')).agentAppMachine,
  },
  certificate: {
    summary: 'a mesh certificate: obtained, renewed at half life, asked for again',
    load: async () =>
      (await import('../../machines/workload/certificate.machine.ts')).certificateMachine,
  },
  'coordinator-front': {
    summary: 'the front of a Coordinator: listens, certified and announced; drains',
    load: async () =>
      (await import('../../machines/coordinator/coordinator-front.machine.ts'))
        .coordinatorFrontMachine,
  },
  edge: {
    summary: 'the edge: listens, follows the endpoints, drains',
    load: async () => (await import('../../machines/workload/edge.machine.ts')).edgeMachine,
  },
  expiry: {
    summary: 'what a peer forgets, and what it verifies when a key has come',
    load: async () => (await import('../../machines/gossip/expiry.machine.ts')).expiryMachine,
  },
  'history-watch': {
    summary: 'the newest transition of a Coordinator: watched, and asked for too',
    load: async () =>
      (await import('../../machines/coordinator/history-watch.machine.ts')).historyWatchMachine,
  },
  inbox: {
    summary: 'the mail of a peer: lease, handle, acknowledge',
    load: async () => (await import('../../machines/gossip/inbox.machine.ts')).inboxMachine,
  },
  instance: {
    summary: 'one OS process: start, probe, serve, drain, end',
    load: async () => (await import('../../machines/workload/instance.machine.ts')).instanceMachine,
  },
  'mesh-cert': {
    summary: 'one connection that asks for a mesh certificate',
    load: async () =>
      (await import('../../machines/coordinator/mesh-cert.machine.ts')).meshCertMachine,
  },
  outbox: {
    summary: 'what a peer has to send, and when it tries again',
    load: async () => (await import('../../machines/gossip/outbox.machine.ts')).outboxMachine,
  },
  planner: {
    summary: 'a rollout for each pending deployment',
    load: async () => (await import('../../machines/workload/planner.machine.ts')).plannerMachine,
  },
  recovery: {
    summary: 'a Coordinator without its state: whom it asks, and when it waits',
    load: async () =>
      (await import('../../machines/coordinator/recovery.machine.ts')).recoveryMachine,
  },
  requester: {
    summary: 'one session with a peer: asks what it has, and for what is missing',
    load: async () => (await import('../../machines/gossip/requester.machine.ts')).requesterMachine,
  },
  responder: {
    summary: 'one session of another peer: answers its questions',
    load: async () => (await import('../../machines/gossip/responder.machine.ts')).responderMachine,
  },
  rollout: {
    summary: 'one deployment: prove, switch, or revert',
    load: async () => (await import('../../machines/workload/rollout.machine.ts')).rolloutMachine,
  },
  stateguard: {
    summary: "what a request to a Coordinator gets, by its state and the history's",
    load: async () =>
      (await import('../../machines/coordinator/stateguard.machine.ts')).stateguardMachine,
  },
  supervisor: {
    summary: 'what a supervisor is doing',
    load: async () => (await import('../../supervisor/supervisor.machine.ts')).supervisorMachine,
  },
  sync: {
    summary: 'whom a peer asks, and when',
    load: async () => (await import('../../machines/gossip/sync.machine.ts')).syncMachine,
  },
  target: {
    summary: 'one endpoint behind the edge: ejects the failing',
    load: async () => (await import('../../machines/workload/target.machine.ts')).targetMachine,
  },
  'worker-pool': {
    summary: 'worker threads for hashes, signatures and archives',
    load: async () =>
      (await import('../../machines/pool/worker-pool.machine.ts')).workerPoolMachine,
  },
};

const looksLikePath = (name: string): boolean => /\/|\.[cm]?[jt]s(#|$)/.test(name);

/**
 * By a name of MACHINES, or as `PATH` or `PATH#EXPORT`, relative to the working folder.
 * MESH_ERR_CHART_UNKNOWN, MESH_ERR_CHART_MODULE.
 */
export async function findMachine(name: string): Promise<AnyStateMachine> {
  const row = Object.hasOwn(MACHINES, name) ? MACHINES[name] : undefined;
  if (row !== undefined) return row.load();
  if (looksLikePath(name)) return machineOfModule(name);
  throw chartError('MESH_ERR_CHART_UNKNOWN', `Looking for the machine ${name}: there is none.`);
}

/** By its shape: a machine of another copy of XState is one, too. */
function isMachine(value: unknown): value is AnyStateMachine {
  const { root, config, implementations } = (value ?? {}) as Partial<AnyStateMachine>;
  return root?.states !== undefined && config !== undefined && implementations !== undefined;
}

async function machineOfModule(name: string): Promise<AnyStateMachine> {
  const [path = '', wanted] = name.split('#');
  const exports = Object.entries(await moduleOf(name, path));
  const found = exports.filter(
    (entry): entry is [string, AnyStateMachine] =>
      isMachine(entry[1]) && (wanted === undefined || entry[0] === wanted),
  );
  const [first, ...others] = found;
  if (first !== undefined && others.length === 0) return first[1];
  const names = found.map(([key]) => key).join(', ');
  throw chartError(
    'MESH_ERR_CHART_MODULE',
    first === undefined
      ? `Looking for a machine in ${name}: it exports none${wanted === undefined ? '' : ' of that name'}.`
      : `Looking for a machine in ${name}: it exports several, ${names}.`,
  );
}

/** Exports of a module, by a path from the working folder; loading it runs it. MESH_ERR_CHART_MODULE. */
export async function moduleOf(name: string, path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
  } catch (cause) {
    throw chartError('MESH_ERR_CHART_MODULE', `Loading ${name} failed.`, { cause });
  }
}

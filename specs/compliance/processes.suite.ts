import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  HealthProbe,
  PortPicker,
  ProbeResult,
  Processes,
  ProcessSpec,
} from '../../actors/workload/ports/process.ts';
import type { ProcessExit, ProcessIdentity } from '../../machines/workload/instance-record.ts';

export type SpecChanges = Partial<ProcessSpec> & { readonly port?: number };

/** A machine with the sample service on it, and one runtime's adapters. */
export interface ProcessesWorld extends AsyncDisposable {
  readonly processes: Processes;
  readonly health: HealthProbe;
  readonly ports: PortPicker;
  readonly homeId: string;
  /** A file without execute permission. */
  readonly unexecutable: string;
  /** The sample service in that mode, with an instance, a token and a log of its own. */
  readonly spec: (mode: string, changes?: SpecChanges) => ProcessSpec;
  /** The port as the next runtime has it, for which all that runs now is adopted. */
  readonly nextRuntime: () => Processes;
  /** A program that is no instance listens on that port, until the end. */
  readonly occupy: (port: number) => Promise<void>;
  /** Lets time pass until `check` holds; fails after ten seconds of it. */
  readonly until: (what: string, check: () => boolean | Promise<boolean>) => Promise<void>;
}

/** What every adapter of `Processes`, `HealthProbe` and `PortPicker` keeps, also the fake one. */
export function processesSuite(name: string, create: () => Promise<ProcessesWorld>): void {
  describe(`Processes (${name})`, () => {
    let world: ProcessesWorld;
    beforeEach(async () => {
      world = await create();
    });
    afterEach(() => world[Symbol.asyncDispose]());
    const the = (): ProcessesWorld => world;
    spawning(the);
    exits(the);
    signals(the);
    groups(the);
    listeners(the);
    strays(the);
    adoption(the);
    probing(the);
  });
}

type The = () => ProcessesWorld;
const NEVER = new AbortController().signal;
const PROBE = { path: '/health', timeoutMs: 2_000 };

const watched = (processes: Processes, identity: ProcessIdentity): ProcessExit[] => {
  const seen: ProcessExit[] = [];
  processes.watchExit(identity, (exit) => seen.push(exit));
  return seen;
};

async function ended(world: ProcessesWorld, identity: ProcessIdentity): Promise<void> {
  await world.until('its end', async () => !(await world.processes.isAlive(identity)));
}

async function started(world: ProcessesWorld, mode: string, port: number) {
  const identity = await world.processes.spawn(world.spec(mode, { port }));
  const isUp = async (): Promise<boolean> =>
    (await world.processes.listenerOf(identity, port)) !== 'none';
  await world.until('a listener', isUp);
  return identity;
}

function spawning(the: The): void {
  it('gives an identity that names a living process', async () => {
    const { processes, spec } = the();
    const wanted = spec('no_listen');
    const identity = await processes.spawn(wanted);
    expect(identity.token).toBe(wanted.token);
    expect(identity.pid).toBeGreaterThan(0);
    expect(await processes.isAlive(identity)).toBe(true);
  });

  it.each([
    ['a program that is not there', () => '/missing/program', 'MESH_ERR_PROCESS_PROGRAM_MISSING'],
    ['a name that is not on PATH', () => 'no-such-program', 'MESH_ERR_PROCESS_PROGRAM_MISSING'],
    ['a plain file', () => the().unexecutable, 'MESH_ERR_PROCESS_NOT_EXECUTABLE'],
  ])('refuses %s', async (_, command, code) => {
    const { processes, spec } = the();
    await expect(processes.spawn(spec('', { command: command() }))).rejects.toMatchObject({ code });
  });

  it('starts nothing when it was aborted before', async () => {
    const { processes, spec, homeId } = the();
    const reason = new Error('not any more');
    const spawned = processes.spawn(spec('no_listen'), AbortSignal.abort(reason));
    await expect(spawned).rejects.toBe(reason);
    expect(await processes.strays(homeId, new Set())).toEqual([]);
  });
}

function exits(the: The): void {
  it('tells every watcher the exit code of its own child, once', async () => {
    const { processes, spec, until } = the();
    const identity = await processes.spawn(spec('exit:3'));
    const first = watched(processes, identity);
    const second = watched(processes, identity);
    await until('both exits', () => first.length > 0 && second.length > 0);
    expect([first, second]).toEqual([
      [{ exitCode: 3, signal: null }],
      [{ exitCode: 3, signal: null }],
    ]);
  });

  it('tells the signal that ended its own child', async () => {
    const { processes, spec, until } = the();
    const identity = await processes.spawn(spec('no_listen'));
    const seen = watched(processes, identity);
    await processes.signal(identity, 'SIGKILL');
    await until('the exit', () => seen.length > 0);
    expect(seen).toEqual([{ exitCode: null, signal: 'SIGKILL' }]);
  });

  it('tells those who ask late', async () => {
    const world = the();
    const { processes, spec, until } = world;
    const identity = await processes.spawn(spec('exit:4'));
    const early = watched(processes, identity);
    await until('the exit', () => early.length > 0);
    const late = watched(processes, identity);
    expect(late).toEqual([]);
    await until('the exit again', () => late.length > 0);
    expect(late).toEqual([{ exitCode: 4, signal: null }]);
  });

  it('tells nobody who no longer watches', async () => {
    const { processes, spec, until } = the();
    const identity = await processes.spawn(spec('no_listen'));
    const seen: ProcessExit[] = [];
    const unsubscribe = processes.watchExit(identity, (exit) => seen.push(exit));
    const control = watched(processes, identity);
    unsubscribe();
    unsubscribe();
    await processes.signal(identity, 'SIGKILL');
    await until('the exit', () => control.length > 0);
    expect(seen).toEqual([]);
  });
}

function signals(the: The): void {
  it('ends a process by SIGTERM, and then says that it is gone', async () => {
    const world = the();
    const { processes } = world;
    const identity = await started(world, '', await world.ports.pick());
    const seen = watched(processes, identity);
    expect(await processes.signal(identity, 'SIGTERM')).toBe(true);
    await world.until('the exit', () => seen.length > 0);
    expect(seen).toEqual([{ exitCode: 0, signal: null }]);
    expect(await processes.signal(identity, 'SIGKILL')).toBe(false);
    expect(await processes.isAlive(identity)).toBe(false);
  });

  it('ends by SIGKILL what ignores SIGTERM', async () => {
    const world = the();
    const { processes } = world;
    const identity = await started(world, 'ignore_sigterm', await world.ports.pick());
    const port = await world.ports.pick();
    await processes.signal(identity, 'SIGTERM');
    // Another one that started and ended meanwhile shows that time has passed.
    await ended(world, await processes.spawn(world.spec('exit_after:50', { port })));
    expect(await processes.isAlive(identity)).toBe(true);
    expect(await processes.signal(identity, 'SIGKILL')).toBe(true);
    await ended(world, identity);
  });

  it.each([
    ['start time', (identity: ProcessIdentity) => ({ startTicks: identity.startTicks - 1 })],
    ['boot', () => ({ bootId: '11111111-2222-4333-8444-555555555555' })],
  ])('never touches a process of the same pid and another %s', async (_, change) => {
    const { processes, spec, until } = the();
    const identity = await processes.spawn(spec('no_listen'));
    const other = { ...identity, ...change(identity) };
    expect(await processes.isAlive(other)).toBe(false);
    expect(await processes.signal(other, 'SIGKILL')).toBe(false);
    await processes.reap({ ...other, token: 'another' });
    const seen = watched(processes, other);
    await until('the end of the other', () => seen.length > 0);
    expect(seen).toEqual([{ exitCode: null, signal: null }]);
    expect(await processes.isAlive(identity)).toBe(true);
  });
}

function groups(the: The): void {
  it.each(['grandchild', 'escape', 'grandchild,escape'])(
    'reaps what outlives its leader (%s)',
    async (mode) => {
      const world = the();
      const { processes, homeId } = world;
      const identity = await started(world, mode, await world.ports.pick());
      await processes.signal(identity, 'SIGTERM');
      await ended(world, identity);
      expect(await processes.strays(homeId, new Set())).not.toEqual([]);
      await processes.reap(identity);
      expect(await processes.strays(homeId, new Set())).toEqual([]);
      await processes.reap(identity);
    },
  );

  it('reaps nothing while the leader lives', async () => {
    const world = the();
    const { processes, homeId } = world;
    const identity = await started(world, 'grandchild', await world.ports.pick());
    await processes.reap(identity);
    expect(await processes.strays(homeId, new Set())).toHaveLength(2);
  });

  it('kills the whole group at once', async () => {
    const world = the();
    const { processes, homeId } = world;
    const identity = await started(world, 'grandchild', await world.ports.pick());
    await processes.signal(identity, 'SIGKILL');
    await world.until('nothing left', async () => {
      return (await processes.strays(homeId, new Set())).length === 0;
    });
  });
}

function listeners(the: The): void {
  it('says who listens: nobody, then the process itself', async () => {
    const world = the();
    const port = await world.ports.pick();
    const identity = await started(world, '', port);
    expect(await world.processes.listenerOf(identity, port)).toBe('own');
    expect(await world.processes.listenerOf(identity, await world.ports.pick())).toBe('none');
  });

  it('says when somebody else has the port', async () => {
    const world = the();
    const { processes, ports } = world;
    const taken = await ports.pick();
    await world.occupy(taken);
    const identity = await processes.spawn(world.spec('no_listen', { port: taken }));
    expect(await processes.listenerOf(identity, taken)).toBe('foreign');
    const port = await ports.pick();
    await started(world, '', port);
    expect(await processes.listenerOf(identity, port)).toBe('foreign');
  });

  it('sees a process that listens elsewhere than it was told', async () => {
    const world = the();
    const [wanted, actual] = [await world.ports.pick(), await world.ports.pick()];
    const mode = `other_port:${actual}`;
    const identity = await world.processes.spawn(world.spec(mode, { port: wanted }));
    await world.until('a listener', async () => {
      return (await world.processes.listenerOf(identity, actual)) === 'own';
    });
    expect(await world.processes.listenerOf(identity, wanted)).toBe('none');
  });
}

function strays(the: The): void {
  it('finds living processes of this home whose token is not known', async () => {
    const { processes, spec, homeId } = the();
    const [known, stray] = [spec('no_listen'), spec('no_listen')];
    const env = { ...stray.env, MESH_HOME_ID: 'another home' };
    await processes.spawn(known);
    const identity = await processes.spawn(stray);
    const elsewhere = await processes.spawn({ ...spec('no_listen'), env });
    const found = await processes.strays(homeId, new Set([known.token]));
    // The world only ends what is of its home.
    await processes.signal(elsewhere, 'SIGKILL');
    expect(found).toEqual([identity]);
  });
}

function adoption(the: The): void {
  it('lets the next runtime watch and end what an earlier one started', async () => {
    const world = the();
    const identity = await started(world, '', await world.ports.pick());
    const next = world.nextRuntime();
    expect(await next.isAlive(identity)).toBe(true);
    const seen = watched(next, identity);
    expect(await next.signal(identity, 'SIGTERM')).toBe(true);
    await world.until('the exit', () => seen.length > 0);
    expect(seen).toEqual([{ exitCode: null, signal: null }]);
  });

  it('tells the next runtime at once of what ended before', async () => {
    const world = the();
    const identity = await world.processes.spawn(world.spec('exit:1'));
    await ended(world, identity);
    const seen = watched(world.nextRuntime(), identity);
    await world.until('the exit', () => seen.length > 0);
    expect(seen).toEqual([{ exitCode: null, signal: null }]);
  });

  it('lets the next runtime reap what an ended leader left', async () => {
    const world = the();
    const identity = await started(world, 'grandchild,escape', await world.ports.pick());
    await world.processes.signal(identity, 'SIGTERM');
    await ended(world, identity);
    const next = world.nextRuntime();
    await next.reap(identity);
    expect(await next.strays(world.homeId, new Set())).toEqual([]);
  });
}

function probing(the: The): void {
  it('probes a healthy service', async () => {
    const world = the();
    const port = await world.ports.pick();
    await started(world, '', port);
    expect(await world.health.probe({ ...PROBE, port }, NEVER)).toEqual({ ok: true, status: 200 });
  });

  it('says why a service is not healthy', async () => {
    const world = the();
    const port = await world.ports.pick();
    const nobody = await world.health.probe({ ...PROBE, port }, NEVER);
    expect(nobody).toEqual({ ok: false, status: null, message: 'connection refused' });
    await started(world, 'never_healthy', port);
    const unready = await world.health.probe({ ...PROBE, port }, NEVER);
    expect(unready).toEqual({ ok: false, status: 503, message: 'HTTP 503' });
  });

  it('waits for a listener as long as it is told', async () => {
    const world = the();
    const port = await world.ports.pick();
    await world.processes.spawn(world.spec('', { port }));
    const results: ProbeResult[] = [];
    const request = { path: '/health', timeoutMs: 9_000, connectWithinMs: 9_000, port };
    void world.health.probe(request, NEVER).then((result) => results.push(result));
    await world.until('an answer', () => results.length > 0);
    expect(results).toEqual([{ ok: true, status: 200 }]);
  });

  it('stops waiting for a listener when it is aborted', async () => {
    const world = the();
    const abort = new AbortController();
    const port = await world.ports.pick();
    const request = { path: '/health', timeoutMs: 60_000, connectWithinMs: 60_000, port };
    const probed = world.health.probe(request, abort.signal);
    const reason = new Error('not any more');
    abort.abort(reason);
    await expect(probed).rejects.toBe(reason);
  });

  it('rejects an aborted probe with the reason', async () => {
    const reason = new Error('not any more');
    const port = await the().ports.pick();
    const probed = the().health.probe({ ...PROBE, port }, AbortSignal.abort(reason));
    await expect(probed).rejects.toBe(reason);
  });

  it('hands out a port only once', async () => {
    const { ports } = the();
    const picked = await Promise.all(Array.from({ length: 20 }, () => ports.pick()));
    expect(new Set(picked).size).toBe(20);
  });
}

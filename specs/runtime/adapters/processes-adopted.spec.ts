import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProcessIdentity } from '../../../machines/workload/instance-record.ts';
import { EXIT_POLL_MS } from '../../../runtime/spawn/exit-watcher.ts';
import { programOnPath } from '../../benches/harness.ts';
import { createRealWorld, until } from '../../support/processes-worlds.ts';

type World = Awaited<ReturnType<typeof createRealWorld>>;

const ADAPTER = new URL('../../../runtime/adapters/processes.execa.ts', import.meta.url).href;
const CLOCK = new URL('../../../runtime/adapters/clock.system.ts', import.meta.url).href;
const RUNTIME = `
  const { createProcesses } = await import(${JSON.stringify(ADAPTER)});
  const { systemClock: clock } = await import(${JSON.stringify(CLOCK)});
  const { specs, stays } = JSON.parse(process.argv[1]);
  const processes = createProcesses({ clock });
  const identities = [];
  for (const spec of specs) identities.push(await processes.spawn(spec));
  console.log(JSON.stringify(identities));
  if (stays) setInterval(() => {}, 60_000);`;

/** Another runtime, which starts one process for each way of dying. */
async function runtimeOf(world: World, modes: readonly ('keep' | 'kill')[], stays: boolean) {
  const specs = modes.map((onRuntimeDeath) =>
    world.spec('', { command: 'sleep', args: ['1000'], onRuntimeDeath }),
  );
  const args = ['--input-type=module', '-e', RUNTIME, JSON.stringify({ specs, stays })];
  const runtime = spawn(process.execPath, args, {
    // The last one is left open for it by accident, as by a careless shell.
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  const [line] = (await once(runtime.stdout as Readable, 'data')) as [Buffer];
  return { runtime, identities: JSON.parse(line.toString()) as ProcessIdentity[] };
}

describe('Processes that an earlier runtime started', () => {
  let world: World;
  beforeEach(async () => {
    world = await createRealWorld();
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const latencyOf = async (identity: ProcessIdentity): Promise<number> => {
    let seenAt = 0;
    world.processes.watchExit(identity, () => (seenAt = performance.now()));
    // Away from the instant of the watch, so that polling is what sees it.
    await new Promise((resolve) => void setTimeout(resolve, 30));
    const endedAt = performance.now();
    process.kill(identity.pid, 'SIGKILL');
    await until('an exit', () => seenAt > 0);
    return seenAt - endedAt;
  };

  it('outlive it, and their ends are seen', async () => {
    const { runtime, identities } = await runtimeOf(world, ['keep', 'keep'], false);
    if (runtime.exitCode === null) await once(runtime, 'exit');
    const latencies: number[] = [];
    for (const identity of identities) {
      expect(await world.processes.isAlive(identity)).toBe(true);
      latencies.push(await latencyOf(identity));
      expect(await world.processes.isAlive(identity)).toBe(false);
    }
    expect(EXIT_POLL_MS).toBeLessThanOrEqual(25);
    console.info(`Ends of adopted processes seen after ${rounded(latencies)} ms.`);
  });

  it('have none of the descriptors that it was given', async () => {
    const { identities } = await runtimeOf(world, ['keep'], false);
    const folder = `/proc/${identities[0]?.pid}/fd`;
    const targets = readdirSync(folder).map((fd) => readlinkSync(`${folder}/${fd}`));
    expect(targets.filter((target) => /^(?:pipe|socket):/.test(target))).toEqual([]);
  });

  it('are seen as late as own ones at most', async () => {
    const spec = world.spec('', { command: 'sleep', args: ['1000'] });
    const latencies = [await latencyOf(await world.processes.spawn(spec))];
    latencies.push(await latencyOf(await world.processes.spawn(spec)));
    console.info(`Ends of own processes seen after ${rounded(latencies)} ms.`);
  });

  it.skipIf(programOnPath('setpriv') === undefined)(
    'end with it where that was wanted, even if it is killed',
    async () => {
      const { runtime, identities } = await runtimeOf(world, ['kill', 'keep'], true);
      const [killed, kept] = identities;
      if (!killed || !kept) throw new Error('The runtime started too little.');
      expect(await world.processes.isAlive(killed)).toBe(true);
      runtime.kill('SIGKILL');
      await until('its end', async () => !(await world.processes.isAlive(killed)));
      expect(await world.processes.isAlive(kept)).toBe(true);
    },
  );
});

const rounded = (latencies: readonly number[]): string =>
  latencies.map((ms) => ms.toFixed(1)).join(' and ');

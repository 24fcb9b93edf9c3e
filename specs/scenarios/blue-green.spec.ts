import { describe, expect, it } from 'vitest';
import { deploy, meshWorld } from '../support/mesh/world.ts';
import { steadyLoad } from '../support/mesh/steady-load.ts';

/** Switches under load, and which of them have a candidate that cannot work. */
const SWITCHES = 20;
const BROKEN = new Map([
  [3, 'exit:3'],
  [7, 'never_healthy'],
  [11, 'no_listen'],
  [15, 'exit_after:0:7'],
  [18, 'exit:1'],
]);

describe('blue/green', () => {
  it('switches 20 times under load, 5 of them with a broken candidate, without a failed request', async () => {
    await using world = await meshWorld();
    const mesh = await world.start();
    const first = await deploy(mesh, await world.spore({ version: '0.0.0' }));
    expect(first.deployment.outcome).toBe('succeeded');
    const load = steadyLoad(`${mesh.edgeUrl}/hello/version`, 250);
    let serving = '0.0.0';
    const outcomes: string[] = [];
    for (let turn = 1; turn <= SWITCHES; turn++) {
      const mode = BROKEN.get(turn);
      const health = { startTimeoutMs: mode ? 700 : 10_000, warmupMs: 20 };
      const version = `${turn}.0.0`;
      const sample = { version, manifest: { health }, ...(mode ? { mode } : {}) };
      const digest = await world.spore(sample);
      const { deployment } = await deploy(mesh, digest);
      outcomes.push(deployment.outcome);
      if (mode) {
        expect(deployment.outcome).toBe('reverted');
        expect(deployment.reason?.code).toMatch(/^MESH_ERR_INSTANCE_(EXITED|NOT_HEALTHY)$/);
      } else serving = version;
      const rows = await mesh.ps();
      const active = rows.filter(({ role }) => role === 'active');
      expect(active.map((row) => row.version)).toEqual([serving, serving, serving]);
    }
    const result = await load.stop();
    console.log(
      `${result.sent} requests at ${result.perSecond.toFixed(0)}/s over ${SWITCHES} switches: ` +
        `${result.failures.length} failed`,
    );
    expect(result.failures).toEqual([]);
    expect(result.perSecond).toBeGreaterThan(200);
    expect(outcomes.filter((outcome) => outcome === 'reverted')).toHaveLength(BROKEN.size);
    expect(outcomes.filter((outcome) => outcome === 'succeeded')).toHaveLength(
      SWITCHES - BROKEN.size,
    );
  });
});

import { describe, expect, it, vi } from 'vitest';
import { deploy, meshWorld } from '../../support/mesh-world.ts';

describe('agent', () => {
  it('builds the machines of its pairs outside of the action that assigns them', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      await using world = await meshWorld();
      const mesh = await world.start({ nodes: 1 });
      const { deployment } = await deploy(mesh, await world.spore({ version: '1.0.0' }), {
        min: 1,
        max: 1,
      });
      expect(deployment.outcome).toBe('succeeded');
      expect(warned.mock.calls).toEqual([]);
    } finally {
      warned.mockRestore();
    }
  });
});

import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  createPortPicker,
  instancePorts,
  PORT_REST_MS,
} from '../../../runtime/adapters/port-picker.ts';
import { systemRandom } from '../../../runtime/adapters/random.system.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

const inOrder = (...fractions: number[]) => ({
  ...systemRandom,
  fraction: () => fractions.shift() ?? 0,
});

describe('instancePorts', () => {
  it.each([
    ['below the ephemeral ports', { from: 32_768, to: 60_999 }, { from: 10_240, to: 32_767 }],
    [
      'above them where there are few below',
      { from: 11_000, to: 60_999 },
      { from: 61_000, to: 65_535 },
    ],
    ['anywhere where they take all', { from: 1_024, to: 65_535 }, { from: 10_240, to: 65_535 }],
  ])('are %s', (_, ephemeral, expected) => {
    expect(instancePorts(ephemeral)).toEqual(expected);
  });
});

describe('PortPicker', () => {
  it('gives a port again only after its rest', async () => {
    const clock = new VirtualClock();
    const { from } = instancePorts();
    const range = { from: from + 50, to: from + 50 };
    const ports = createPortPicker({ clock, random: systemRandom, range });
    expect(await ports.pick()).toBe(range.from);
    await clock.advance(PORT_REST_MS - 1);
    const code = 'MESH_ERR_PROCESS_PORTS_EXHAUSTED';
    await expect(ports.pick()).rejects.toMatchObject({ code, retryable: true });
    await clock.advance(1);
    expect(await ports.pick()).toBe(range.from);
  });

  it.each(['127.0.0.1', '0.0.0.0', '127.0.0.2'])(
    'leaves out a port on which somebody listens on %s',
    async (host) => {
      const server = createServer().listen({ host, port: 0 });
      await once(server, 'listening');
      const address = server.address();
      const taken = address !== null && typeof address === 'object' ? address.port : 0;
      const range = { from: taken, to: taken + 1 };
      const random = inOrder(0, 0, 0.9);
      const ports = createPortPicker({ clock: new VirtualClock(), random, range });
      expect(await ports.pick()).toBe(taken + 1);
      server.close();
    },
  );
});

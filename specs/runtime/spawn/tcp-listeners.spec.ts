import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  dropOwned,
  listeningPorts,
  loopbackListeners,
} from '../../../runtime/spawn/tcp-listeners.ts';

interface Listening extends AsyncDisposable {
  readonly port: number;
}

async function listening(host: string, port = 0): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket));
  server.listen({ host, port });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('There is no TCP address.');
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

const hasIpv6 = Object.values(networkInterfaces()).some((rows) =>
  rows?.some(({ family }) => family === 'IPv6'),
);

describe('loopbackListeners', () => {
  it.each(['127.0.0.1', '0.0.0.0'])('finds who listens on %s', async (host) => {
    await using server = await listening(host);
    const inodes = new Set(loopbackListeners(server.port));
    expect(inodes.size).toBe(1);
    expect(listeningPorts()).toContain(server.port);
    dropOwned(process.pid, inodes);
    expect(inodes.size).toBe(0);
  });

  it.skipIf(!hasIpv6)('finds who listens on every address of both families', async () => {
    await using server = await listening('::');
    expect(loopbackListeners(server.port)).toHaveLength(1);
  });

  it.skipIf(!hasIpv6)('leaves out who listens on the IPv6 loopback only', async () => {
    await using server = await listening('::1');
    expect(loopbackListeners(server.port)).toEqual([]);
    expect(listeningPorts()).toContain(server.port);
  });

  it('leaves out another address of the loopback network', async () => {
    await using server = await listening('127.0.0.2');
    expect(loopbackListeners(server.port)).toEqual([]);
  });

  it('leaves out connections', async () => {
    await using server = await listening('127.0.0.1');
    const client = connect(server.port, '127.0.0.1');
    await once(client, 'connect');
    expect(loopbackListeners(client.localPort ?? 0)).toEqual([]);
    expect(loopbackListeners(server.port)).toHaveLength(1);
    client.destroy();
  });
});

describe('dropOwned', () => {
  it('leaves sockets of others alone', async () => {
    await using server = await listening('127.0.0.1');
    const inodes = new Set(loopbackListeners(server.port));
    dropOwned(1, inodes);
    dropOwned(4_194_305, inodes);
    expect(inodes.size).toBe(1);
  });
});

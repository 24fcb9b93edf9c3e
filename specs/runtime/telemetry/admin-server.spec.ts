import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { serveAdmin } from '../../../runtime/telemetry/admin-server.ts';

async function get(url: string) {
  const response = await fetch(url);
  return [response.status, await response.text()];
}

describe('serveAdmin', () => {
  it('serves metrics, liveness and readiness on the loopback', async () => {
    let why: string | null = 'hello is degraded';
    const admin = await serveAdmin(
      { metrics: () => Promise.resolve('m 1\n'), notReady: () => Promise.resolve(why) },
      0,
    );
    expect(admin.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await get(`${admin.url}/metrics`)).toEqual([200, 'm 1\n']);
    expect(await get(`${admin.url}/livez`)).toEqual([200, 'ok\n']);
    expect(await get(`${admin.url}/readyz`)).toEqual([503, 'hello is degraded\n']);
    why = null;
    expect(await get(`${admin.url}/readyz`)).toEqual([200, 'ok\n']);
    expect((await get(`${admin.url}/`))[0]).toBe(404);
    await admin.close();
  });

  it('answers 500 where the mesh cannot be asked', async () => {
    const broken = () => Promise.reject(new Error('closed'));
    const admin = await serveAdmin({ metrics: broken, notReady: broken }, 0);
    expect(await get(`${admin.url}/metrics`)).toEqual([500, 'Error: closed\n']);
    expect((await get(`${admin.url}/livez`))[0]).toBe(200);
    await admin.close();
  });

  it('refuses a port that is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const source = { metrics: () => Promise.resolve(''), notReady: () => Promise.resolve(null) };
    await expect(serveAdmin(source, port)).rejects.toMatchObject({
      code: 'MESH_ERR_CONTROL_ADMIN_PORT',
    });
    holder.close();
  });
});

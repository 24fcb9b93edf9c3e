/** The edge and instances that speak TLS: whom it believes, and what it says of the others. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../runtime/adapters/clock.system.ts';
import { createHealthProbe } from '../../../runtime/adapters/health.http.ts';
import { MeshTls, spiffeIdIn, spiffeIdOfApp } from '../../../runtime/certificates/mesh-tls.ts';
import { createEdge } from '../../../runtime/edge/edge.ts';
import { RoutingTable } from '../../../runtime/edge/routing-table.ts';
import { createMeshAuthority } from '../../support/certificates/authority.ts';
import type { Identity } from '../../support/certificates/authority.ts';

const mesh = createMeshAuthority();
const edgeIdentity = mesh.issue('edge/edge');
const stranger = createMeshAuthority();

interface Served {
  readonly server: Server;
  readonly port: number;
  /** Connections that were not resumed, and requests. */
  readonly seen: { handshakes: number; resumed: number; requests: number };
}

/** An instance that wants to see a certificate of this mesh. */
async function instance(
  identity: Identity,
  authorities = identity.pem.authorities,
): Promise<Served> {
  const { key, certificates: cert } = identity.pem;
  const seen = { handshakes: 0, resumed: 0, requests: 0 };
  const server = createServer(
    { key, cert, ca: authorities, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      seen.requests++;
      if (request.url === '/close') response.setHeader('connection', 'close');
      request.pipe(response);
    },
  );
  server.on('secureConnection', (socket) => {
    if (socket.isSessionReused()) seen.resumed++;
    else seen.handshakes++;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, seen, port: (server.address() as AddressInfo).port };
}

/** An edge before one instance of the app `hello`. */
async function world(served: Served, tls: MeshTls | undefined = new MeshTls(systemClock)) {
  const routes = new RoutingTable();
  const edge = createEdge({ routes, clock: systemClock, port: 0, ...(tls && { tls }) });
  const { port } = await edge.listen();
  const target = { instance: 'hello-1', app: 'hello', host: '127.0.0.1', port: served.port };
  routes.publish('hello', [{ ...target, tls: 'mesh' }]);
  return {
    tls,
    edge,
    url: `http://127.0.0.1:${port}/hello`,
    [Symbol.asyncDispose]: async () => {
      await edge.close(0);
      served.server.closeAllConnections();
      served.server.close();
    },
  };
}

const codeOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { error: { code: string } }).error.code;

describe('an edge before instances that speak TLS', () => {
  it('passes requests and their bodies, and goes on with sessions', async () => {
    const served = await instance(mesh.issue('workload/hello'));
    await using at = await world(served);
    at.tls?.hold(edgeIdentity.pem, edgeIdentity.spiffeId);
    const body = 'x'.repeat(300_000);
    const echoed = await fetch(`${at.url}/echo`, { method: 'POST', body });
    expect(await echoed.text()).toBe(body);
    for (let times = 0; times < 5; times++)
      expect((await fetch(`${at.url}/close`)).status).toBe(200);
    expect(served.seen).toEqual({ handshakes: 1, resumed: 4, requests: 6 });
  });

  it('begins new sessions with another certificate of its own', async () => {
    const served = await instance(mesh.issue('workload/hello'));
    await using at = await world(served);
    for (let times = 0; times < 2; times++) {
      at.tls?.hold(edgeIdentity.pem, edgeIdentity.spiffeId);
      expect((await fetch(`${at.url}/close`)).status).toBe(200);
    }
    expect(served.seen).toEqual({ handshakes: 2, resumed: 0, requests: 2 });
  });

  it.each<[string, () => Promise<Served>]>([
    ['another app', () => instance(mesh.issue('workload/other'))],
    ['an edge, which is no app', () => instance(mesh.issue('edge/hello'))],
    ['the same app of another mesh', () => instance(stranger.issue('workload/hello'))],
  ])('sends nothing to %s, and says so', async (_, make) => {
    const served = await make();
    await using at = await world(served);
    at.tls?.hold(edgeIdentity.pem, edgeIdentity.spiffeId);
    const response = await fetch(`${at.url}/secret`, { method: 'POST', body: 'secret' });
    expect(response.status).toBe(502);
    expect(await codeOf(response)).toBe('MESH_ERR_EDGE_UPSTREAM_IDENTITY');
    expect(served.seen.requests).toBe(0);
  });

  it('has its request handled by nobody who does not accept its certificate', async () => {
    const { authorities } = stranger.issue('edge/edge').pem;
    const served = await instance(mesh.issue('workload/hello'), authorities);
    await using at = await world(served);
    at.tls?.hold(edgeIdentity.pem, edgeIdentity.spiffeId);
    const response = await fetch(`${at.url}/secret`, { method: 'POST', body: 'secret' });
    // In TLS 1.3 the server judges after the handshake, and Node's says nothing as it closes.
    expect(await codeOf(response)).toMatch(/^MESH_ERR_EDGE_UPSTREAM_(CLOSED|IDENTITY)$/);
    expect(served.seen.requests).toBe(0);
  });

  it.each<[string, MeshTls | undefined]>([
    ['no certificate yet', new MeshTls(systemClock)],
    ['no Coordinator', undefined],
  ])('meets none of them with %s', async (_, tls) => {
    const served = await instance(mesh.issue('workload/hello'));
    await using at = await world(served, tls);
    const response = await fetch(at.url);
    expect(await codeOf(response)).toBe('MESH_ERR_EDGE_UPSTREAM_IDENTITY');
    expect(served.seen).toEqual({ handshakes: 0, resumed: 0, requests: 0 });
  });

  it('shows nothing that has expired', async () => {
    const served = await instance(mesh.issue('workload/hello'));
    const now = systemClock.now() + 25 * 3_600_000;
    await using at = await world(served, new MeshTls({ now: () => now }));
    at.tls?.hold(edgeIdentity.pem, edgeIdentity.spiffeId);
    expect(await codeOf(await fetch(at.url))).toBe('MESH_ERR_EDGE_UPSTREAM_IDENTITY');
    expect(served.seen.handshakes).toBe(0);
  });

  it('counts an instance that cannot prove itself as failing', async () => {
    const served = await instance(mesh.issue('workload/other'));
    await using at = await world(served);
    at.tls?.hold(edgeIdentity.pem, edgeIdentity.spiffeId);
    await (await fetch(at.url)).text();
    expect(at.edge.counters().apps['hello']).toMatchObject({ requests: 1 });
  });
});

describe('createHealthProbe', () => {
  const probe = (tls: MeshTls | undefined, port: number) =>
    createHealthProbe({ clock: systemClock, tls }).probe(
      { port, path: '/health', timeoutMs: 2_000, tlsApp: 'hello' },
      new AbortController().signal,
    );

  it('asks as the edge would', async () => {
    const tls = new MeshTls(systemClock);
    tls.hold(edgeIdentity.pem, edgeIdentity.spiffeId);
    const own = await instance(mesh.issue('workload/hello'));
    expect(await probe(tls, own.port)).toEqual({ ok: true, status: 200 });
    expect(own.seen).toMatchObject({ handshakes: 1, requests: 1 });
    const other = await instance(mesh.issue('workload/other'));
    expect(await probe(tls, other.port)).toMatchObject({
      ok: false,
      fault: 'identity',
      message: expect.stringContaining('spiffe://mesh.local/workload/hello is due'),
    });
    expect(await probe(undefined, own.port)).toMatchObject({
      ok: false,
      fault: 'own_identity',
      message: expect.stringContaining('no valid mesh certificate'),
    });
    for (const { server } of [own, other]) {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('spiffeIdIn', () => {
  it.each([
    ['DNS:a, URI:spiffe://m/workload/a', 'spiffe://m/workload/a'],
    ['DNS:a, IP Address:127.0.0.1', undefined],
    ['URI:spiffe://m/workload/a, URI:spiffe://m/workload/b', undefined],
    ['DNS:"a, URI:spiffe://m/workload/b", URI:spiffe://m/workload/a', undefined],
  ])('finds in %s the one %s', (subjectaltname, found) => {
    expect(spiffeIdIn({ subjectaltname })).toBe(found);
  });
});

describe('spiffeIdOfApp', () => {
  it('is below the trust domain of the edge', () => {
    expect(spiffeIdOfApp('spiffe://mesh.local/edge/edge', 'hello')).toBe(
      'spiffe://mesh.local/workload/hello',
    );
  });
});

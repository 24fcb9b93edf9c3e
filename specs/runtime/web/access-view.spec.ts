/** Who may speak to whom, line by line. */
import { describe, expect, it } from 'vitest';
import type { AppStatus, CertificateView } from '../../../runtime/control/mesh-control.ts';
import type { CoordinatorView } from '../../../runtime/coordinator/coordinator-view.ts';
import { accessLines } from '../../../runtime/web/views/access-view.ts';
import type { AccessFacts } from '../../../runtime/web/views/access-view.ts';
import { meshPage } from '../../../runtime/web/views/mesh-page.ts';
import { createFakeMesh } from '../../support/control/fake-mesh.ts';
import { CERTIFICATES, DIGEST_1, deploymentOf, statusOf } from '../../support/control/records.ts';
import { guardedMesh, recoveringCoordinator } from '../../support/web/sample-mesh.ts';

const [EDGE, REFUSED] = CERTIFICATES as readonly [CertificateView, CertificateView];
const HELD: CertificateView = {
  ...REFUSED,
  state: 'renewing',
  spiffeId: 'spiffe://mesh.local/workload/hello',
};

function app(name: string, ...schemes: readonly ('http' | 'https')[]): AppStatus {
  const run = { app: name, digest: DIGEST_1 };
  const endpoints = schemes.map((scheme, index) => ({
    app: name,
    url: `${scheme}://127.0.0.1:${String(30_000 + index)}`,
    node: 'node-1',
    instance: `${name}-${String(index)}`,
    generation: 1,
    expiresAtMs: 0,
  }));
  return { ...statusOf(name, [deploymentOf(run, 1, 'succeeded')]), endpoints };
}

const BARE: AccessFacts = {
  edgeUrl: 'http://127.0.0.1:8080',
  apps: [],
  certificates: [],
  coordinator: undefined,
};

/** Each line in short, by who speaks to whom. */
const told = (facts: Partial<AccessFacts>): Record<string, readonly string[]> =>
  Object.fromEntries(
    accessLines({ ...BARE, ...facts }).map(({ from, to, over, guard, meaning }) => [
      `${from.name} → ${to.name}`,
      [over, guard, meaning],
    ]),
  );

const coordinator = (changes: Partial<CoordinatorView> = {}): CoordinatorView => ({
  ...recoveringCoordinator(),
  ...changes,
});

describe('accessLines', () => {
  it('says of a mesh without anything that anybody may ask the edge', () => {
    expect(accessLines(BARE)).toEqual([
      {
        from: { name: 'clients', spiffeId: null },
        to: { name: 'edge', spiffeId: null },
        over: 'plain HTTP',
        guard: 'open',
        meaning: 'Anybody on this machine may send requests to every app.',
      },
    ]);
  });

  it.each([
    ['http://localhost:80', 'Anybody on this machine'],
    ['http://[::1]:8080', 'Anybody on this machine'],
    ['http://0.0.0.0:8080', 'Anybody who reaches 0.0.0.0:8080'],
    ['http://mesh.example:8080', 'Anybody who reaches mesh.example:8080'],
  ])('says who reaches an edge at %s', (edgeUrl, who) => {
    expect(told({ edgeUrl })['clients → edge']?.[2]).toBe(`${who} may send requests to every app.`);
  });

  it('says by their endpoints how the edge speaks to apps, by name', () => {
    const apps = [app('plain', 'http'), app('idle'), app('hello', 'https', 'https')];
    const lines = accessLines({ ...BARE, apps, certificates: [EDGE, HELD] });
    expect(lines.slice(1, 4)).toEqual([
      {
        from: { name: 'edge', spiffeId: 'spiffe://mesh.local/edge/edge' },
        to: { name: 'hello', spiffeId: 'spiffe://mesh.local/workload/hello' },
        over: 'mutual TLS',
        guard: 'proven',
        meaning:
          'The edge speaks TLS to hello and accepts nobody but workload/hello. ' +
          'hello is to serve nobody without a certificate of the mesh.',
      },
      expect.objectContaining({
        over: 'nothing',
        guard: 'silent',
        meaning: 'No instance of idle serves, so the edge sends it nothing.',
      }),
      expect.objectContaining({
        over: 'plain HTTP',
        guard: 'open',
        meaning: 'The edge speaks plain HTTP to plain, and so may anybody on this machine.',
      }),
    ]);
  });

  it('calls an app open for as long as one of its instances serves in the clear', () => {
    const apps = [app('hello', 'https', 'http', 'http')];
    expect(told({ apps, certificates: [EDGE] })['edge → hello']).toEqual([
      'mutual TLS, plain HTTP',
      'open',
      'The edge speaks TLS to hello and accepts nobody but workload/hello. ' +
        'Anybody on this machine may speak plain HTTP to 2 of 3 instances.',
    ]);
  });

  it.each([
    ['expired', [{ ...EDGE, state: 'expired' as const }]],
    ['none', []],
  ])('says that TLS is broken where the certificate of the edge is: %s', (word, certificates) => {
    expect(told({ apps: [app('hello', 'https')], certificates })['edge → hello']).toEqual([
      'mutual TLS',
      'broken',
      `hello serves TLS, and the edge has no valid certificate to show (${word}): ` +
        'it sends hello nothing.',
    ]);
  });

  it('counts who holds a certificate, and names who holds none', () => {
    const shop = { ...HELD, app: 'shop', instance: 'shop-1' };
    const certificates = [EDGE, HELD, { ...HELD, instance: 'hello-2' }, shop, REFUSED];
    const apps = [app('docs', 'http'), app('hello', 'https'), app('shop', 'https')];
    expect(told({ certificates, apps })['instances → instances']).toEqual([
      'mutual TLS',
      'proven',
      'Certificates of the mesh are held by 2 of hello and 1 of shop. Who shows one is to be ' +
        'served by hello and shop, and nobody else. Without a valid one: hello-1 (refused).',
    ]);
    const plain = { certificates: [EDGE, HELD], apps: [app('hello', 'http')] };
    expect(told(plain)['instances → instances']).toEqual([
      'mutual TLS',
      'silent',
      'Certificates of the mesh are held by 1 of hello. No app serves TLS, so nobody asks for them.',
    ]);
    const many = Array.from({ length: 6 }, () => REFUSED);
    expect(told({ certificates: [EDGE, ...many] })['instances → instances']).toEqual([
      'mutual TLS',
      'silent',
      'No instance holds a certificate of the mesh. Without a valid one: hello-1 (refused), ' +
        'hello-1 (refused), hello-1 (refused), hello-1 (refused) and 2 more.',
    ]);
  });

  it('says whom the manifest in force lets in, and which running spore it does not name', () => {
    const other = app('docs', 'http');
    const docs = { ...other, plan: { ...other.plan, digest: 'ee'.repeat(32) as typeof DIGEST_1 } };
    const lines = told({ coordinator: coordinator(), apps: [app('hello', 'http'), docs] });
    expect(lines).toMatchObject({
      'instances, edge → Coordinator': [
        'attested TLS',
        'proven',
        'Who proves by evidence to be a spore of hello or shop is given a certificate. The edge ' +
          'is given one, too. None for the present spore of docs: no policy names it.',
      ],
      'Coordinators → Coordinators': [
        'attested TLS',
        'proven',
        'They give each other the state. Only evidence by one of the 2 node keys that the ' +
          'manifest names counts.',
      ],
      'owners → Coordinator': [
        'TLS with their key',
        'proven',
        'The next manifest may be set by the owner of 1 key; the state may be brought back by ' +
          'the owner of any of 2 keys.',
      ],
      'clients → Coordinator': ['TLS', 'open', expect.stringContaining('127.0.0.1:8443')],
    });
  });

  it('names no spore where policies are hidden or name none', () => {
    const apps = [app('hello')];
    const asking = (changes: Partial<CoordinatorView>) =>
      told({ coordinator: coordinator(changes), apps })['instances, edge → Coordinator']?.[2];
    expect(asking({ policyCount: 300 })).toBe(
      'Who proves by evidence what one of 300 policies names is given its certificate.',
    );
    expect(asking({ policies: [], policyCount: 0 })).toBe(
      'The manifest names no spore, so no instance is given a certificate. ' +
        'None for the present spore of hello: no policy names it.',
    );
  });

  it('calls a Coordinator open whose policy names no node keys', () => {
    const policies = coordinator().policies.map((one) => ({ ...one, nodeKeys: null }));
    expect(told({ coordinator: coordinator({ policies }) })).toMatchObject({
      'Coordinators → Coordinators': [
        'attested TLS',
        'open',
        expect.stringContaining('any node whose evidence of software counts'),
      ],
    });
  });

  it('says of a Coordinator without a state that it certifies nobody, and nothing of owners', () => {
    const empty = { generation: null, policies: [], policyCount: 0, owners: null, address: null };
    expect(told({ coordinator: coordinator(empty) })).toEqual({
      'clients → edge': expect.anything(),
      'instances, edge → Coordinator': [
        'attested TLS',
        'silent',
        'It has no state in memory, so nobody is given a certificate.',
      ],
    });
  });
});

describe('meshPage', () => {
  it('tells access from one look at each part', async () => {
    const { access } = await meshPage(guardedMesh()).then(known);
    expect(access).toMatchObject({ available: true, hiddenApps: 0 });
    expect(access.available && access.rows.map(({ guard }) => guard)).toContain('proven');
  });

  it('guesses no access where a part fails, and shows the others', async () => {
    const failed = () => Promise.reject(new Error('it does not answer'));
    const page = await meshPage({ ...createFakeMesh(), certificates: failed }).then(known);
    expect(page).toMatchObject({
      access: { available: false, why: 'it does not answer' },
      certificates: { available: false, why: 'it does not answer' },
      coordinator: { available: false, why: 'No Coordinator belongs to this mesh.' },
    });
  });
});

type Page = Awaited<ReturnType<typeof meshPage>>;

function known(page: Page): Extract<Page, { available: true }> {
  if (page.available) return page;
  throw new Error('A mesh that is there has its page.');
}

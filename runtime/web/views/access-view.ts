/**
 * Who may speak to whom, told from what is there: endpoints, certificates, and the manifest in force.
 * What is said of an app's own port is what the edge does, and what the spore's manifest declares.
 */
import type { CoordinatorView, PolicyEntry } from '../../coordinator/coordinator-view.ts';
import type { AppStatus, CertificateView } from '../../control/mesh-control.ts';
import type { AccessLine } from '../ui/views.types.ts';

/** Apps on one page. */
export const ACCESS_APPS_MAX = 100;
/** Names in one sentence. */
const NAMES_MAX = 4;

/** What the lines are told from. */
export interface AccessFacts {
  readonly edgeUrl: string;
  readonly apps: readonly Pick<AppStatus, 'app' | 'plan' | 'endpoints'>[];
  /** Empty for a mesh without a Coordinator. */
  readonly certificates: readonly CertificateView[];
  readonly coordinator: CoordinatorView | undefined;
}

/** The lines in the order of a request's way: clients, edge, apps, Coordinator, owners. */
export function accessLines(facts: AccessFacts): readonly AccessLine[] {
  const { certificates, coordinator } = facts;
  const apps = facts.apps.toSorted((a, b) => (a.app < b.app ? -1 : 1)).slice(0, ACCESS_APPS_MAX);
  return [
    clientsLine(facts.edgeUrl),
    ...apps.map((one) => appLine(one, certificates)),
    ...instancesLine(certificates, facts.apps),
    ...(coordinator ? coordinatorLines(coordinator, facts.apps) : []),
  ];
}

const hasOne = ({ state }: CertificateView): boolean => state === 'valid' || state === 'renewing';

const isSecure = ({ url }: { readonly url: string }): boolean => url.startsWith('https:');

function clientsLine(edgeUrl: string): AccessLine {
  const { hostname, host } = new URL(edgeUrl);
  const who = isLoopback(hostname) ? 'Anybody on this machine' : `Anybody who reaches ${host}`;
  return {
    from: { name: 'clients', spiffeId: null },
    to: { name: 'edge', spiffeId: null },
    over: 'plain HTTP',
    guard: 'open',
    meaning: `${who} may send requests to every app.`,
  };
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);

/** The edge and one app; while one replaces the other, plain instances and such with TLS serve both. */
function appLine(
  { app, endpoints }: AccessFacts['apps'][number],
  certificates: readonly CertificateView[],
): AccessLine {
  const edge = certificates.find((one) => one.app === null);
  const own = certificates.find((one) => one.app === app && hasOne(one));
  const secure = endpoints.filter(isSecure).length;
  const line = {
    from: { name: 'edge', spiffeId: edge?.spiffeId ?? null },
    to: { name: app, spiffeId: own?.spiffeId ?? null },
  };
  if (endpoints.length === 0) {
    const meaning = `No instance of ${app} serves, so the edge sends it nothing.`;
    return { ...line, over: 'nothing', guard: 'silent', meaning };
  }
  if (secure === 0) {
    const meaning = `The edge speaks plain HTTP to ${app}, and so may anybody on this machine.`;
    return { ...line, over: 'plain HTTP', guard: 'open', meaning };
  }
  if (edge === undefined || !hasOne(edge)) {
    const why = `the edge has no valid certificate to show (${edge?.state ?? 'none'})`;
    const meaning = `${app} serves TLS, and ${why}: it sends ${app} nothing.`;
    return { ...line, over: 'mutual TLS', guard: 'broken', meaning };
  }
  const believed = `The edge speaks TLS to ${app} and accepts nobody but workload/${app}.`;
  if (secure < endpoints.length) {
    const plain = `${endpoints.length - secure} of ${endpoints.length} instances`;
    const meaning = `${believed} Anybody on this machine may speak plain HTTP to ${plain}.`;
    return { ...line, over: 'mutual TLS, plain HTTP', guard: 'open', meaning };
  }
  const meaning = `${believed} ${app} is to serve nobody without a certificate of the mesh.`;
  return { ...line, over: 'mutual TLS', guard: 'proven', meaning };
}

/** Instances among each other; without one that asked for a certificate there is nothing to say. */
function instancesLine(
  certificates: readonly CertificateView[],
  apps: AccessFacts['apps'],
): readonly AccessLine[] {
  const asked = certificates.filter(({ app }) => app !== null);
  if (asked.length === 0) return [];
  const holders = asked.filter(hasOne);
  const secure = apps.filter(({ endpoints }) => endpoints.some(isSecure)).map(({ app }) => app);
  const named = asked
    .filter((one) => !hasOne(one))
    .map(({ instance, state }) => `${instance ?? ''} (${state})`);
  const refused = named.length === 0 ? '' : ` Without a valid one: ${listed(named)}.`;
  return [
    {
      from: { name: 'instances', spiffeId: null },
      to: { name: 'instances', spiffeId: null },
      over: 'mutual TLS',
      guard: holders.length > 0 && secure.length > 0 ? 'proven' : 'silent',
      meaning: heldText(holders, secure) + refused,
    },
  ];
}

function heldText(holders: readonly CertificateView[], secure: readonly string[]): string {
  if (holders.length === 0) return 'No instance holds a certificate of the mesh.';
  const held = `Certificates of the mesh are held by ${perApp(holders)}`;
  return secure.length === 0
    ? `${held}. No app serves TLS, so nobody asks for them.`
    : `${held}. Who shows one is to be served by ${listed(secure)}, and nobody else.`;
}

/** `2 of hello and 1 of shop`. */
function perApp(holders: readonly CertificateView[]): string {
  const counts = new Map<string, number>();
  for (const { app } of holders) counts.set(app ?? '', (counts.get(app ?? '') ?? 0) + 1);
  return listed([...counts].map(([app, count]) => `${count} of ${app}`));
}

function listed(names: readonly string[], last: 'and' | 'or' = 'and'): string {
  const hidden = names.length - NAMES_MAX;
  const told = hidden > 0 ? [...names.slice(0, NAMES_MAX), `${hidden} more`] : names;
  return told.length < 2 ? told.join('') : `${told.slice(0, -1).join(', ')} ${last} ${told.at(-1)}`;
}

function coordinatorLines(
  coordinator: CoordinatorView,
  apps: AccessFacts['apps'],
): readonly AccessLine[] {
  const spiffeId = coordinator.certificate?.spiffeId ?? null;
  const to = { name: 'Coordinator', spiffeId };
  const asking: AccessLine = {
    from: { name: 'instances, edge', spiffeId: null },
    to,
    over: 'attested TLS',
    ...certificatesFor(coordinator, apps),
  };
  const anybody = coordinator.address && {
    from: { name: 'clients', spiffeId: null },
    to,
    over: 'TLS' as const,
    guard: 'open' as const,
    meaning: `Anybody who reaches ${addressOf(coordinator.address)} may ask how it is doing and for \
its manifests: nothing of them is secret.`,
  };
  const sure =
    coordinator.generation === null ? [] : [peersLine(coordinator), ownersLine(to, coordinator)];
  return [asking, ...sure.flat(), ...(anybody ? [anybody] : [])];
}

const addressOf = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Who is given a certificate, and which app that runs is given none. */
function certificatesFor(
  { generation, policies, policyCount }: CoordinatorView,
  apps: AccessFacts['apps'],
): Pick<AccessLine, 'guard' | 'meaning'> {
  if (generation === null)
    return {
      guard: 'silent',
      meaning: 'It has no state in memory, so nobody is given a certificate.',
    };
  // Of policies that are not shown nothing is known.
  if (policies.length < policyCount)
    return {
      guard: 'proven',
      meaning: `Who proves by evidence what one of ${policyCount} policies names is given its certificate.`,
    };
  const known = new Set(policies.map(({ identity }) => identity));
  const missing = apps.filter(({ plan }) => !known.has(plan.digest)).map((one) => one.app);
  const none = ` None for the present spore of ${listed(missing)}: no policy names it.`;
  const edge = policies.some(({ role }) => role === 'edge') ? ' The edge is given one, too.' : '';
  const meaning = givenText(policies) + edge + (missing.length === 0 ? '' : none);
  return { guard: 'proven', meaning };
}

function givenText(policies: readonly PolicyEntry[]): string {
  const names = new Set(policies.filter(isWorkload).map(({ name }) => name));
  if (names.size === 0)
    return 'The manifest names no spore, so no instance is given a certificate.';
  const spore = `a spore of ${listed([...names], 'or')}`;
  return `Who proves by evidence to be ${spore} is given a certificate.`;
}

const isWorkload = ({ role }: PolicyEntry): boolean => role === 'workload';

function peersLine({ policies }: CoordinatorView): readonly AccessLine[] {
  const ones = policies.filter(({ role }) => role === 'coordinator');
  if (ones.length === 0) return [];
  const isOpen = ones.some(({ nodeKeys }) => nodeKeys === null);
  const keys = ones.reduce((sum, { nodeKeys }) => sum + (nodeKeys ?? 0), 0);
  const proof = isOpen
    ? 'A policy names no node keys: any node whose evidence of software counts may prove to be one.'
    : `Only evidence by ${keys === 1 ? 'the 1 node key' : `one of the ${keys} node keys`} that \
the manifest names counts.`;
  return [
    {
      from: { name: 'Coordinators', spiffeId: null },
      to: { name: 'Coordinators', spiffeId: ones[0]?.spiffeId ?? null },
      over: 'attested TLS',
      guard: isOpen ? 'open' : 'proven',
      meaning: `They give each other the state. ${proof}`,
    },
  ];
}

function ownersLine(to: AccessLine['to'], { owners }: CoordinatorView): readonly AccessLine[] {
  if (owners === null) return [];
  const set = `The next manifest may be set by ${keysText(owners.workload)}`;
  const recover = `the state may be brought back by ${keysText(owners.seedShare)}`;
  return [
    {
      from: { name: 'owners', spiffeId: null },
      to,
      over: 'TLS with their key',
      guard: 'proven',
      meaning: `${set}; ${recover}.`,
    },
  ];
}

const keysText = (count: number): string => {
  if (count === 0) return 'nobody';
  return count === 1 ? 'the owner of 1 key' : `the owner of any of ${count} keys`;
};

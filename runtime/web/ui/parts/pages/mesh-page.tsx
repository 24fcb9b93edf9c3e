import { linkTo, now, views } from '../../store.ts';
import { ago, day, duration, shortDigest } from '../../names.ts';
import type { CoordinatorView } from '../../../../coordinator/coordinator-view.ts';
import type { CertificateLine, MeshView, PeerLine } from '../../views.types.ts';
import { isNearEnd } from '../../certificate-age.ts';
import { Figure } from '../figure.tsx';
import { Icon } from '../icon.tsx';
import { MeshPicture } from './mesh-picture.tsx';
import { Unavailable } from './offer.tsx';
import { Verdict } from '../status.tsx';
import type { Mood } from '../status.tsx';

export type Known = Extract<MeshView, { available: true }>;

/** How a state of the mesh's parts reads, whichever part it is. */
export const moodOf = (state: string): Mood => {
  if (/fail|lost|refus|expire|invalid|broken|alert|revok|error/i.test(state)) return 'bad';
  if (/recover|wait|start|connect|sync|request|issu|renew|blank|empty|joining/i.test(state))
    return /connected|issued|synced|started/i.test(state) ? 'good' : 'busy';
  return /stop|idle|off|left/i.test(state) ? 'idle' : 'good';
};

const CERTIFICATES: Readonly<Record<CertificateLine['state'], Mood>> = {
  obtaining: 'busy',
  valid: 'good',
  renewing: 'busy',
  expired: 'bad',
  refused: 'bad',
};

/** The mesh around the workloads: its Coordinator, its certificates, its peers. */
export function MeshPage() {
  const view = views.value.mesh;
  if (!view?.available)
    return (
      <section class="panel" aria-label="Mesh">
        <Unavailable what="mesh" offer={view} />
      </section>
    );
  return (
    <div class="stack mesh" tabIndex={0} role="region" aria-label="Mesh, can be scrolled">
      <section class="panel wide" aria-label="Overview">
        <div class="bar">
          <h2>Mesh</h2>
          <span class="soft">
            {view.version}, up {duration(Math.max(0, now.value - view.startedAtMs))}
          </span>
        </div>
        <MeshPicture view={view} />
        <dl class="figures">
          <Figure name="edge" value={view.edgeUrl} />
          <Figure name="nodes" value={String(view.nodes.length)} title={view.nodes.join(', ')} />
          <Figure name="process" value={String(view.pid)} />
          <Figure name="home" value={view.home} />
        </dl>
      </section>
      <Coordinator view={view} />
      <Certificates view={view} />
      <Peers view={view} />
      <Relay view={view} />
    </div>
  );
}

interface PartProps {
  readonly view: Known;
}

function Coordinator({ view: { coordinator } }: PartProps) {
  return (
    <section class="panel" aria-label="Coordinator">
      <div class="bar">
        <h2>Coordinator</h2>
        {coordinator.available && (
          <Verdict mood={moodOf(coordinator.state)} text={coordinator.state} />
        )}
      </div>
      {coordinator.available ? (
        <CoordinatorFacts one={coordinator} />
      ) : (
        <Unavailable what="Coordinator" offer={coordinator} />
      )}
    </section>
  );
}

function CoordinatorFacts({ one }: { readonly one: CoordinatorView }) {
  const { address, connections, authority } = one;
  return (
    <>
      {one.reason !== null && (
        <p class="warned">
          <Icon name="warning" /> {one.reason}
        </p>
      )}
      <dl class="figures">
        <Figure name="name" value={one.name} />
        <Figure name="listens on" value={address ? `${address.host}:${address.port}` : 'nothing'} />
        <Figure name="generation" value={String(one.generation ?? '–')} />
        <Figure name="connections" value={`${connections.open} open`} />
        <Figure
          name="refused"
          value={String(connections.refused)}
          isHot={connections.refused > 0}
        />
        {authority && (
          <Figure
            name="mesh CA ends"
            value={day(Date.parse(authority.mesh.notAfter))}
            title={authority.mesh.subject}
          />
        )}
      </dl>
      {one.peers.length > 0 && <CoordinatorPeers view={one} />}
      <h3>Manifest history</h3>
      <ol class="timeline">
        {one.manifests.map((row, index) => (
          <li key={row.transition} class={index === 0 ? 'good' : 'idle'}>
            <div>
              <b>{row.generation}</b> <code title={row.manifest}>{shortDigest(row.manifest)}</code>
              {index === 0 && <Verdict mood="good" text="present" />}
            </div>
            <div class="soft">
              transition <code title={row.transition}>{shortDigest(row.transition)}</code>
              {row.seenAt !== null && `, seen ${day(Date.parse(row.seenAt))}`}
            </div>
          </li>
        ))}
      </ol>
      {one.manifests.length === 0 && (
        <p class="soft fine">None is known: it has no state in memory.</p>
      )}
    </>
  );
}

function CoordinatorPeers({ view }: { readonly view: CoordinatorView }) {
  return (
    <>
      <h3>Other Coordinators</h3>
      <table>
        <tbody>
          {view.peers.map((peer) => (
            <tr key={peer.name}>
              <th scope="row">{peer.name}</th>
              <td class="mono">
                {peer.host}:{peer.port}
              </td>
              <td>
                <Verdict
                  mood={peer.isLive ? 'good' : 'idle'}
                  text={peer.isLive ? (peer.state ?? 'there') : 'not seen'}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Certificates({ view: { certificates } }: PartProps) {
  return (
    <section class="panel" aria-label="Certificates">
      <div class="bar">
        <h2>Certificates</h2>
        {certificates.available && (
          <span class="soft tally">{certificates.rows.length} in sight</span>
        )}
      </div>
      {!certificates.available ? (
        <Unavailable what="certificates" offer={certificates} />
      ) : certificates.rows.length === 0 ? (
        <p class="soft fine">No instance has asked for one yet.</p>
      ) : (
        <CertificateTable rows={certificates.rows} />
      )}
    </section>
  );
}

function CertificateTable({ rows }: { readonly rows: readonly CertificateLine[] }) {
  return (
    <table class="certificates">
      <thead>
        <tr>
          <th scope="col">of</th>
          <th scope="col">state</th>
          <th scope="col">ends</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.instance ?? 'edge'}>
            <th scope="row">
              {row.instance === null ? 'edge' : <a href={linkTo('workloads')}>{row.instance}</a>}
              {row.node !== null && <span class="soft"> on {row.node}</span>}
              {row.spiffeId !== null && <div class="soft mono breaks">{row.spiffeId}</div>}
            </th>
            <td>
              <Verdict mood={CERTIFICATES[row.state]} text={row.state} />
              {row.failure !== null && <div class="soft">{row.failure}</div>}
            </td>
            <td>
              <Expiry row={row} />
              {row.renewals > 0 && <div class="soft">renewed {row.renewals} times</div>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** When a certificate ends, with a warning in words once most of its time has gone. */
function Expiry({ row: { renewAt, notAfter } }: { readonly row: CertificateLine }) {
  if (notAfter === null) return <span class="soft">–</span>;
  const left = Date.parse(notAfter) - now.value;
  if (left <= 0) return <Verdict mood="bad" text={`expired ${duration(-left)} ago`} />;
  const isLate = isNearEnd(renewAt, notAfter, now.value);
  return (
    <span class={isLate ? 'expiry late' : 'expiry'} title={day(Date.parse(notAfter))}>
      {isLate && <Icon name="warning" />}
      in {duration(left)}
      {isLate && ', less than a quarter left'}
    </span>
  );
}

function Peers({ view: { peers } }: PartProps) {
  return (
    <section class="panel" aria-label="Peers">
      <div class="bar">
        <h2>Peers</h2>
        {peers.available && <span class="soft tally">{peers.rows.length} known</span>}
      </div>
      {!peers.available ? (
        <Unavailable what="peers" offer={peers} />
      ) : peers.rows.length === 0 ? (
        <p class="soft fine">No peer has been seen yet.</p>
      ) : (
        <table>
          <tbody>
            {peers.rows.map((row) => (
              <Peer key={row.peer} row={row} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

const Peer = ({ row }: { readonly row: PeerLine }) => (
  <tr>
    <th scope="row" class="mono" title={row.peer}>
      {row.peer.length > 20 ? `${row.peer.slice(0, 12)}…` : row.peer}
    </th>
    <td>
      <Verdict mood={moodOf(row.state)} text={row.state} />
    </td>
    <td class="mono">{row.address ?? ''}</td>
    <td class="soft">
      {row.lastSeenMs === null ? 'never seen' : `seen ${ago(row.lastSeenMs, now.value)}`}
    </td>
  </tr>
);

function Relay({ view: { relay } }: PartProps) {
  return (
    <section class="panel" aria-label="Relay">
      <div class="bar">
        <h2>Relay</h2>
        {relay.available && <Verdict mood={moodOf(relay.state)} text={relay.state} />}
      </div>
      {relay.available ? (
        <p class="fine mono">{relay.address}</p>
      ) : (
        <Unavailable what="relay" offer={relay} />
      )}
    </section>
  );
}

import { now, views } from '../../store.ts';
import { ago, duration } from '../../names.ts';
import type { PeerLine } from '../../views.types.ts';
import { Figure } from '../figure.tsx';
import { Verdict } from '../status.tsx';
import { Access } from './access.tsx';
import { Certificates } from './certificates.tsx';
import { Coordinator } from './coordinator.tsx';
import { peerMood, relayMood } from '../mood.ts';
import type { MeshPart } from './mesh-part.ts';
import { MeshPicture } from './mesh-picture.tsx';
import { Unavailable } from './offer.tsx';

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
      <Access view={view} />
      <Coordinator view={view} />
      <Certificates view={view} />
      <Peers view={view} />
      <Relay view={view} />
    </div>
  );
}

function Peers({ view: { peers } }: MeshPart) {
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
      <Verdict mood={peerMood(row.state)} text={row.state} />
    </td>
    <td class="mono">{row.address ?? ''}</td>
    <td class="soft">
      {row.lastSeenMs === null ? 'never seen' : `seen ${ago(row.lastSeenMs, now.value)}`}
    </td>
  </tr>
);

function Relay({ view: { relay } }: MeshPart) {
  return (
    <section class="panel" aria-label="Relay">
      <div class="bar">
        <h2>Relay</h2>
        {relay.available && <Verdict mood={relayMood(relay.state)} text={relay.state} />}
      </div>
      {relay.available ? (
        <p class="fine mono">{relay.address}</p>
      ) : (
        <Unavailable what="relay" offer={relay} />
      )}
    </section>
  );
}

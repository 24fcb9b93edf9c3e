import type { CoordinatorView } from '../../../../coordinator/coordinator-view.ts';
import { day, shortDigest } from '../../names.ts';
import { Figure } from '../figure.tsx';
import { Icon } from '../icon.tsx';
import { Verdict } from '../status.tsx';
import { COORDINATOR_MOODS } from '../mood.ts';
import type { MeshPart } from './mesh-part.ts';
import { Unavailable } from './offer.tsx';

/** The Coordinator of this mesh: its state, its peers, its manifests. */
export function Coordinator({ view: { coordinator } }: MeshPart) {
  return (
    <section class="panel" aria-label="Coordinator">
      <div class="bar">
        <h2>Coordinator</h2>
        {coordinator.available && (
          <Verdict mood={COORDINATOR_MOODS[coordinator.state]} text={coordinator.state} />
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
                  mood={
                    peer.isLive ? (peer.state ? COORDINATOR_MOODS[peer.state] : 'good') : 'idle'
                  }
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

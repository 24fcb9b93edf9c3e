import { linkTo, now } from '../../store.ts';
import { isNearEnd } from '../../certificate-age.ts';
import { day, duration } from '../../names.ts';
import type { CertificateLine } from '../../views.types.ts';
import { Icon } from '../icon.tsx';
import { Verdict } from '../status.tsx';
import type { Mood } from '../mood.ts';
import type { MeshPart } from './mesh-part.ts';
import { Unavailable } from './offer.tsx';

const CERTIFICATES: Readonly<Record<CertificateLine['state'], Mood>> = {
  obtaining: 'busy',
  valid: 'good',
  renewing: 'busy',
  expired: 'bad',
  refused: 'bad',
};

/** Who has a certificate of the mesh, and how long it lasts. */
export function Certificates({ view: { certificates } }: MeshPart) {
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
              {row.failure !== null && <div class="soft breaks">{row.failure}</div>}
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

import type { CoordinatorView, PolicyEntry } from '../../../../coordinator/coordinator-view.ts';
import { shortDigest } from '../../names.ts';
import type { AccessEnd, AccessLine } from '../../views.types.ts';
import type { Mood } from '../mood.ts';
import { Verdict } from '../status.tsx';
import type { MeshPart } from './mesh-part.ts';
import { Unavailable } from './offer.tsx';

const GUARDS: Readonly<Record<AccessLine['guard'], Mood>> = {
  proven: 'good',
  open: 'busy',
  broken: 'bad',
  silent: 'idle',
};

/** Who may speak to whom, over what, and what follows from it; then whom the manifest lets in. */
export function Access({ view: { access, coordinator } }: MeshPart) {
  return (
    <section class="panel wide" aria-label="Access">
      <div class="bar">
        <h2>Who may speak to whom</h2>
      </div>
      {!access.available ? (
        <Unavailable what="access" offer={access} />
      ) : (
        <Lines rows={access.rows} hiddenApps={access.hiddenApps} />
      )}
      {coordinator.available && coordinator.policies.length > 0 && <Policies one={coordinator} />}
    </section>
  );
}

interface LinesProps {
  readonly rows: readonly AccessLine[];
  readonly hiddenApps: number;
}

const Lines = ({ rows, hiddenApps }: LinesProps) => (
  <>
    <div class="picture flush" tabIndex={0} role="region" aria-label="Access, can be scrolled">
      <table class="access">
        <thead>
          <tr>
            <th scope="col">who</th>
            <th scope="col">to whom</th>
            <th scope="col">over</th>
            <th scope="col">what follows</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.from.name} ${row.to.name}`}>
              <th scope="row">
                <End end={row.from} />
              </th>
              <td>
                <End end={row.to} isArrived />
              </td>
              <td>
                <Verdict mood={GUARDS[row.guard]} text={row.over} />
                <div class="soft">{row.guard}</div>
              </td>
              <td>{row.meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
    {hiddenApps > 0 && (
      <p class="soft fine">
        and {hiddenApps} more apps: <code>mesh ps</code> has them.
      </p>
    )}
  </>
);

const End = ({
  end,
  isArrived = false,
}: {
  readonly end: AccessEnd;
  readonly isArrived?: boolean;
}) => (
  <>
    {isArrived && (
      <span class="soft" aria-hidden="true">
        →{' '}
      </span>
    )}
    <b>{end.name}</b>
    {end.spiffeId !== null && <div class="soft mono breaks">{end.spiffeId}</div>}
  </>
);

/** Whom the manifest in force gives certificates, and what evidence has to prove for one. */
function Policies({ one }: { readonly one: CoordinatorView }) {
  const hidden = one.policyCount - one.policies.length;
  return (
    <>
      <h3>Whom the manifest of generation {one.generation} lets in</h3>
      <div class="picture flush" tabIndex={0} role="region" aria-label="Policies, can be scrolled">
        <table class="access policies">
          <thead>
            <tr>
              <th scope="col">role and name</th>
              <th scope="col">certificate says</th>
              <th scope="col">evidence proves</th>
              <th scope="col">by</th>
            </tr>
          </thead>
          <tbody>
            {one.policies.map((policy) => (
              <Policy key={policy.identity} policy={policy} />
            ))}
          </tbody>
        </table>
      </div>
      {hidden > 0 && <p class="soft fine">and {hidden} more.</p>}
    </>
  );
}

const Policy = ({ policy }: { readonly policy: PolicyEntry }) => (
  <tr>
    <th scope="row">
      <span class="soft">{policy.role}</span> {policy.name}
    </th>
    <td>
      <div class="mono breaks">{policy.spiffeId}</div>
      <div class="soft breaks">{policy.san.join(', ')}</div>
    </td>
    <td>
      <code title={policy.identity}>{shortDigest(policy.identity)}</code>
    </td>
    <td>{keysOf(policy)}</td>
  </tr>
);

const keysOf = ({ nodeKeys }: PolicyEntry): string => {
  if (nodeKeys === null) return 'any node of the manifest';
  return nodeKeys === 1 ? '1 node key' : `one of ${nodeKeys} node keys`;
};

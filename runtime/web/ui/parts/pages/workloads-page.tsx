import { useState } from 'preact/hooks';
import { canSend, linkTo, now, recording, views } from '../../store.ts';
import { rollBack } from '../../ask.ts';
import { day, duration, shortDigest } from '../../names.ts';
import type { DeploymentLine, InstanceLine, WorkloadLine } from '../../views.types.ts';
import { Dialog } from '../dialog.tsx';
import { Empty } from '../empty.tsx';
import { Figure } from '../figure.tsx';
import { Icon } from '../icon.tsx';
import { Unavailable } from './offer.tsx';
import { Verdict } from '../status.tsx';
import type { Mood } from '../mood.ts';

const STATES: Readonly<Record<WorkloadLine['state'], Mood>> = {
  deploying: 'busy',
  running: 'good',
  degraded: 'bad',
  crash_looping: 'bad',
  failed: 'bad',
  stopped: 'idle',
};

const OUTCOMES: Readonly<Record<DeploymentLine['outcome'], Mood>> = {
  pending: 'busy',
  succeeded: 'good',
  reverted: 'bad',
  failed: 'bad',
  superseded: 'idle',
  stopped: 'idle',
};

const HEALTHY: Readonly<Record<string, Mood>> = {
  healthy: 'good',
  serving: 'good',
  unhealthy: 'bad',
  failed: 'bad',
  unattended: 'bad',
};

const words = (state: string): string => state.replaceAll('_', ' ');
const ago = (ms: number): string => duration(Math.max(0, now.value - ms));

/** What runs, what it is doing, and what came of the last deployments. */
export function WorkloadsPage() {
  const view = views.value.workloads;
  if (view === undefined || !view.available)
    return (
      <section class="panel" aria-label="Workloads">
        <Unavailable what="workloads" offer={view} />
      </section>
    );
  if (view.apps.length === 0)
    return (
      <section class="panel" aria-label="Workloads">
        <Empty title="No app yet" command="mesh run hello hello.spore --min 1 --max 3">
          A signed spore becomes an app when it is run.
        </Empty>
      </section>
    );
  return (
    <div class="stack" tabIndex={0} role="region" aria-label="Apps, can be scrolled">
      {view.apps.map((app) => (
        <App key={app.app} app={app} />
      ))}
    </div>
  );
}

function App({ app }: { readonly app: WorkloadLine }) {
  return (
    <section class="panel app" aria-label={`App ${app.app}`}>
      <AppBar app={app} />
      {app.why !== null && (
        <p class="warned">
          <Icon name={STATES[app.state] === 'bad' ? 'warning' : 'forward'} /> {app.why}
        </p>
      )}
      <dl class="figures">
        <Figure name="serving" value={`${app.serving} of ${app.max}`} />
        <Figure name="digest" value={shortDigest(app.digest)} title={app.digest} />
        <Figure name="generation" value={String(app.generation)} />
        <Figure name="strategy" value={words(app.strategy)} />
        <Figure name="instances" value={`${app.min} to ${app.max}`} />
        <Figure name="restarts" value={String(app.restarts)} isHot={app.restarts > 0} />
      </dl>
      <div class="halves">
        <Instances rows={app.instances} />
        <Deployments rows={app.deployments} />
      </div>
    </section>
  );
}

function AppBar({ app }: { readonly app: WorkloadLine }) {
  const [isAsking, setAsking] = useState(false);
  const isAllowed = canSend.value && recording.value === null;
  return (
    <div class="bar">
      <h2 class="large">{app.app}</h2>
      <span class="soft">{app.version}</span>
      <Verdict mood={STATES[app.state]} text={words(app.state)} />
      {isAllowed && (
        <button type="button" class="push" onClick={() => setAsking(true)}>
          <Icon name="undo" />
          Roll back…
        </button>
      )}
      {isAsking && <RollBack app={app} onClose={() => setAsking(false)} />}
    </div>
  );
}

/** Another digest than the present one that is known to have worked. */
const targetOf = ({ deployments, digest }: WorkloadLine): DeploymentLine | undefined =>
  deployments.find((one) => one.outcome === 'succeeded' && one.digest !== digest);

function RollBack({ app, onClose }: { readonly app: WorkloadLine; readonly onClose: () => void }) {
  const target = targetOf(app);
  return (
    <Dialog name={`Roll ${app.app} back?`} onClose={onClose}>
      {target ? (
        <p>
          From {app.version} (<code>{shortDigest(app.digest)}</code>) to the last version that
          worked: {target.version} (<code>{shortDigest(target.digest)}</code>, generation{' '}
          {target.generation}). It is a deployment like any other: candidates prove themselves
          before they serve.
        </p>
      ) : (
        <p>There is no earlier version in sight that worked; the mesh will say so.</p>
      )}
      <form method="dialog" class="choices" onSubmit={() => void rollBack(app.app)}>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="primary">
          <Icon name="undo" />
          Roll back
        </button>
      </form>
    </Dialog>
  );
}

function Instances({ rows }: { readonly rows: readonly InstanceLine[] }) {
  return (
    <div>
      <h3>Instances</h3>
      {rows.length === 0 && <p class="soft fine">No process of it runs.</p>}
      {rows.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">instance</th>
              <th scope="col">node</th>
              <th scope="col">role</th>
              <th scope="col">health</th>
              <th scope="col">version</th>
              <th scope="col">pid : port</th>
              <th scope="col" class="count">
                restarts
              </th>
              <th scope="col" class="count">
                age
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.instance}>
                <th scope="row">
                  <a href={linkTo('actors', row.path)}>{row.instance}</a>
                </th>
                <td>{row.node}</td>
                <td>{row.role}</td>
                <td>
                  <Verdict mood={HEALTHY[row.state] ?? 'busy'} text={row.state} />
                </td>
                <td title={row.digest}>{row.version}</td>
                <td class="mono">
                  {row.pid ?? '–'} : {row.port ?? '–'}
                </td>
                <td class={row.restarts > 0 ? 'count hot' : 'count'}>{row.restarts}</td>
                <td class="count">{ago(row.sinceMs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function Deployments({ rows }: { readonly rows: readonly DeploymentLine[] }) {
  return (
    <div>
      <h3>Last deployments</h3>
      <ol class="timeline">
        {rows.map((row) => (
          <li key={row.generation} class={OUTCOMES[row.outcome]}>
            <div>
              <b>{row.version}</b> <code title={row.digest}>{shortDigest(row.digest)}</code>
              <Verdict mood={OUTCOMES[row.outcome]} text={row.outcome} />
            </div>
            <div class="soft">
              generation {row.generation}, {words(row.strategy)}, {day(row.startedAtMs)}
              {row.endedAtMs !== null && `, took ${duration(row.endedAtMs - row.startedAtMs)}`}
            </div>
            {row.reason && <Reason {...row.reason} />}
          </li>
        ))}
      </ol>
    </div>
  );
}

function Reason({ code, message, logTail }: NonNullable<DeploymentLine['reason']>) {
  return (
    <div class="reason">
      {message} <code>{code}</code>
      {logTail.length > 0 && (
        <details>
          <summary>what it last wrote</summary>
          <pre tabIndex={0}>{logTail.join('\n')}</pre>
        </details>
      )}
    </div>
  );
}

import { actors, canSend, charts, details, go, route, send, step } from '../store.ts';
import type { ActorDetails } from '../wire.types.ts';
import { ChartPicture } from './chart-picture.tsx';
import { Scrubber } from './scrubber.tsx';

const since = (ms: number): string => new Date(ms).toLocaleTimeString();

function Picture({ shown }: { readonly shown: ActorDetails }) {
  const drawn = shown.machine === null ? undefined : charts.value.get(shown.machine);
  if (!drawn)
    return (
      <p class="soft empty">
        {shown.machine === null ? 'Its logic is no state machine.' : 'Drawing its chart…'}
      </p>
    );
  const at = step.value;
  const latest = shown.steps.at(-1);
  return (
    <ChartPicture
      drawn={drawn}
      active={at ? at.active : shown.active}
      taken={(at ?? latest)?.taken ?? []}
      accepts={
        new Map(at ? [] : shown.accepts.map(({ event, isEnabled }) => [event, isEnabled] as const))
      }
    />
  );
}

function Facts({ shown }: { readonly shown: ActorDetails }) {
  const row = actors.value.get(shown.path);
  const at = step.value;
  return (
    <aside class="panel facts" aria-label="Details">
      <div class="bar">
        <h2>Details</h2>
      </div>
      <dl>
        <dt>path</dt>
        <dd>{shown.path}</dd>
        <dt>state</dt>
        <dd>{at ? at.active.join(', ') : (row?.state ?? '')}</dd>
        <dt>status</dt>
        <dd>{shown.status}</dd>
        <dt>since</dt>
        <dd>{row ? since(row.sinceMs) : ''}</dd>
        <dt>incarnation</dt>
        <dd>{shown.incarnation}</dd>
        <dt>restarts</dt>
        <dd>{row?.restarts ?? 0}</dd>
        <dt>events</dt>
        <dd>{row?.events ?? 0}</dd>
      </dl>
      <h3>Accepts now</h3>
      <ul class="accepts">
        {shown.accepts.map(({ event, isEnabled, guard }) => (
          <li key={event}>
            <button
              type="button"
              disabled={!canSend.value || !isEnabled}
              title={guard ? `${guard} is false` : canSend.value ? 'Send it' : 'Needs --allow-send'}
              onClick={() => send(shown.path, event)}
            >
              {event}
              {guard && <small> [{guard}]</small>}
            </button>
          </li>
        ))}
      </ul>
      <h3>Context</h3>
      <pre tabIndex={0}>{JSON.stringify(at ? at.context : shown.context, undefined, 1)}</pre>
    </aside>
  );
}

/** The chosen actor: its chart, its details and its past. */
export function ActorView() {
  const shown = details.value;
  const { subject } = route.value;
  if (!shown)
    return (
      <section class="panel view" aria-label="State chart">
        <p class="soft empty">
          {subject === null
            ? 'Choose an actor: arrows, hjkl, or a click.'
            : `${subject} is not there.`}
        </p>
      </section>
    );
  return (
    <>
      <section class="panel view" aria-label="State chart">
        <div class="bar">
          <h2>{shown.path.split('/').at(-1)}</h2>
          {shown.machine !== null && (
            <button type="button" onClick={() => go({ page: 'machines', subject: shown.machine })}>
              {shown.machine}
            </button>
          )}
          {shown.tags.map((tag) => (
            <span class="badge" key={tag}>
              #{tag}
            </span>
          ))}
        </div>
        <div class="canvas">
          <Picture shown={shown} />
        </div>
        <Scrubber steps={shown.steps} />
      </section>
      <Facts shown={shown} />
    </>
  );
}

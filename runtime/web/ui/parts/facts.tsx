import { useState } from 'preact/hooks';
import { canSend, isHeld, linkTo, recording, route, shownAtMs, shownStep, step } from '../store.ts';
import { clock, duration, eventName } from '../names.ts';
import type { Accepted, ActorDetails, ActorRow } from '../wire.types.ts';
import { Icon } from './icon.tsx';
import { JsonView } from './json-view.tsx';
import { SendDialog } from './send-dialog.tsx';

/** Each part of the path is a way up. */
function Path({ path }: { readonly path: string }) {
  const parts = path.split('/');
  return (
    <span class="path">
      {parts.map((part, index) => {
        const above = parts.slice(0, index + 1).join('/');
        return (
          <span key={above}>
            {index > 0 && <i>/</i>}
            {above === path ? <b>{part}</b> : <a href={linkTo('actors', above)}>{part}</a>}
          </span>
        );
      })}
    </span>
  );
}

function Possible({
  one,
  onSend,
}: {
  readonly one: Accepted;
  readonly onSend: (event: string) => void;
}) {
  const { event, isEnabled, guard } = one;
  return (
    <li class={isEnabled ? '' : 'barred'}>
      <button
        type="button"
        class="event"
        disabled={!canSend.value || recording.value !== null}
        title={canSend.value ? 'Send it…' : 'The inspector was started without --allow-send'}
        onClick={() => onSend(event)}
      >
        <Icon name={isEnabled ? 'send' : 'cross'} />
        {event}
      </button>
      {guard !== undefined && !isEnabled && (
        <span class="why">
          <code>{guard}</code> is false
        </span>
      )}
    </li>
  );
}

const possibleFirst = (all: readonly Accepted[]): Accepted[] =>
  all.toSorted((a, b) => Number(b.isEnabled) - Number(a.isEnabled));

function Numbers({ shown, row }: { readonly shown: ActorDetails; readonly row?: ActorRow }) {
  const at = step.value;
  const active = at?.active.filter((id) => !at.active.some((other) => other.startsWith(`${id}.`)));
  return (
    <dl>
      <dt>path</dt>
      <dd>
        <Path path={shown.path} />
      </dd>
      <dt>state</dt>
      <dd class="mono">{active?.join(', ') ?? row?.state ?? ''}</dd>
      {at && (
        <>
          <dt>then</dt>
          <dd class="mono">
            {clock(at.atMs)} after {eventName(at.event)}
          </dd>
        </>
      )}
      <dt>{row?.status ?? shown.status}</dt>
      <dd>{row ? `for ${duration(Math.max(0, shownAtMs.value - row.sinceMs))}` : ''}</dd>
      <dt>restarts</dt>
      <dd class={row && row.restarts > 0 ? 'hot' : ''} data-count="restarts">
        {row?.restarts ?? 0}
      </dd>
      <dt>events</dt>
      <dd>{row?.events ?? 0}</dd>
    </dl>
  );
}

/** The chosen actor in words and numbers, what it takes now, and what it knows. */
export function Facts({ shown, row }: { readonly shown: ActorDetails; readonly row?: ActorRow }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const at = step.value;
  const place = shown.steps.findIndex((one) => one === shownStep.value);
  const before = shown.steps[place - 1]?.context;
  return (
    <aside class="panel facts" aria-label="Details">
      <div class="bar">
        <h2>Details</h2>
        {at && <span class="chip plain busy">then, not now</span>}
      </div>
      <div class="scrolled" tabIndex={0} role="region" aria-label="Details, can be scrolled">
        <Numbers shown={shown} {...(row ? { row } : {})} />
        {!at && shown.accepts.length > 0 && (
          <>
            <h3>{isHeld.value ? 'Possible then' : 'Possible now'}</h3>
            <ul class="accepts">
              {possibleFirst(shown.accepts).map((one) => (
                <Possible key={one.event} one={one} onSend={setChosen} />
              ))}
            </ul>
            {!canSend.value && recording.value === null && (
              <p class="fine">
                Look, don’t touch: <code>mesh inspect --allow-send</code> lets the page send.
              </p>
            )}
          </>
        )}
        <h3>Context</h3>
        <JsonView value={at ? at.context : shown.context} before={before} />
      </div>
      {chosen !== null && (
        <SendDialog
          path={route.value.subject ?? ''}
          event={chosen}
          guard={shown.accepts.find(({ event }) => event === chosen)?.guard}
          onClose={() => setChosen(null)}
        />
      )}
    </aside>
  );
}

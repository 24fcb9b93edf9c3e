import {
  actors,
  charts,
  details,
  isHeld,
  linkTo,
  pin,
  recording,
  route,
  shownStep,
  step,
} from '../store.ts';
import { eventName, nameOf } from '../names.ts';
import type { ActorDetails, ActorRow } from '../wire.types.ts';
import { ChartFrame } from './chart/chart-frame.tsx';
import { Empty } from './empty.tsx';
import { Facts } from './facts.tsx';
import { Icon } from './icon.tsx';
import { Overview } from './overview.tsx';
import { Past, RecordingScrubber, Scrubber } from './scrubber.tsx';
import { Status } from './status.tsx';

const WITHOUT_CHART: Readonly<Record<ActorRow['kind'], string>> = {
  supervisor: 'A supervisor starts, watches and restarts its children. It has no chart of its own.',
  worker: 'Its logic is a promise, a callback or a reducer: there are no states to draw.',
  own: 'A machine runs it as an effect: there are no states to draw.',
};

function Picture({ shown, row }: { readonly shown: ActorDetails; readonly row?: ActorRow }) {
  const drawn = shown.machine === null ? undefined : charts.value.get(shown.machine);
  if (shown.machine === null)
    return (
      <div class="frame">
        <Empty title="No state machine">{row && WITHOUT_CHART[row.kind]}</Empty>
      </div>
    );
  if (!drawn)
    return (
      <div class="frame">
        <Empty title="Drawing its chart…" />
      </div>
    );
  const at = step.value;
  const latest = shownStep.value;
  return (
    <ChartFrame
      drawn={drawn}
      isPast={at !== undefined}
      light={{
        active: at ? at.active : shown.active,
        taken: latest?.taken ?? [],
        ...(latest ? { pulse: latest.seq } : {}),
        accepts: new Map(at ? [] : shown.accepts.map((one) => [one.event, one.isEnabled] as const)),
      }}
    >
      {at && <Past at={at} />}
      {latest?.refusedBy !== undefined && (
        <p class="refused">
          <Icon name="warning" />
          {eventName(latest.event)} changed nothing: <code>{latest.refusedBy}</code> was false
        </p>
      )}
    </ChartFrame>
  );
}

function Absent({ path }: { readonly path: string | null }) {
  return (
    <section class="panel view" aria-label={path === null ? 'Overview' : 'State chart'}>
      {path === null ? (
        <Overview />
      ) : (
        <Empty title={`${path} is not there`}>
          {actors.value.has(path)
            ? 'Waiting for its details…'
            : 'It ended, or has not started yet. The choice is kept: it shows as soon as it is.'}
        </Empty>
      )}
      <RecordingScrubber />
    </section>
  );
}

function Bar({ shown, row }: { readonly shown: ActorDetails; readonly row?: ActorRow }) {
  const isPinned = route.value.pins.includes(shown.path);
  return (
    <div class="bar">
      <h2>{row ? nameOf(row) : shown.path.split('/').at(-1)}</h2>
      {row && <Status status={row.status} />}
      {shown.machine !== null && (
        <a class="chip" href={linkTo('machines', shown.machine)} title="Its machine">
          {shown.machine}
        </a>
      )}
      {shown.tags.map((tag) => (
        <span class="chip plain" key={tag}>
          #{tag}
        </span>
      ))}
      <button
        type="button"
        class="push"
        aria-pressed={isPinned}
        title="Into the sequence diagram (p)"
        onClick={() => pin(shown.path)}
      >
        <Icon name="pin" />
        {isPinned ? 'Pinned' : 'Pin'}
      </button>
    </div>
  );
}

/** The chosen actor: its chart, its details and its past. */
export function ActorView() {
  const shown = details.value;
  const { subject } = route.value;
  if (!shown || shown.path !== subject) return <Absent path={subject} />;
  const row = actors.value.get(shown.path);
  const given = row ? { shown, row } : { shown };
  return (
    <>
      <section class={`panel view ${isHeld.value ? 'still' : ''}`} aria-label="State chart">
        <Bar {...given} />
        <Picture {...given} />
        {(shown.machine !== null || recording.value) && <Scrubber steps={shown.steps} />}
      </section>
      <Facts {...given} />
    </>
  );
}

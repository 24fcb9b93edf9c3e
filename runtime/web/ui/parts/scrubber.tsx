import { go, isHeld, log, recording, route, step } from '../store.ts';
import { clock, counted, eventName } from '../names.ts';
import type { Step } from '../wire.types.ts';
import { Icon } from './icon.tsx';
import { goToStep } from './keys.ts';

/** Says over the chart that it shows another time. */
export const Past = ({ at }: { readonly at: Step }) => (
  <p class="then">
    <b>Not live.</b> As it was at {clock(at.atMs)}, after {eventName(at.event)}.{' '}
    <button type="button" class="link" onClick={() => go({ at: null })}>
      {recording.value ? 'Back to its end' : 'Back to now'}
    </button>
  </p>
);

/** Goes back in time, to look and not to change: of an actor, or of a whole recording. */
export const Scrubber = ({ steps }: { readonly steps: readonly Step[] }) =>
  recording.value ? <RecordingScrubber /> : <ActorScrubber steps={steps} />;

interface SliderProps {
  readonly place: number;
  readonly count: number;
  readonly told: string;
  readonly onPlace: (place: number) => void;
  readonly isNow: boolean;
  readonly endName: string;
  readonly children: string;
}

function Slider({ place, count, told, onPlace, isNow, endName, children }: SliderProps) {
  return (
    <div class="bar scrubber">
      <button
        type="button"
        class="square"
        disabled={place <= 0}
        onClick={() => onPlace(place - 1)}
        aria-label="Back"
        title="One step back ([)"
      >
        <Icon name="back" />
      </button>
      <button
        type="button"
        class="square"
        disabled={isNow}
        onClick={() => onPlace(place + 1)}
        aria-label="Forward"
        title="One step forward (])"
      >
        <Icon name="forward" />
      </button>
      <input
        type="range"
        min={0}
        max={Math.max(0, count - 1)}
        value={Math.max(0, place)}
        disabled={count < 2}
        aria-label="Step"
        aria-valuetext={told}
        onInput={({ currentTarget }) => onPlace(Number(currentTarget.value))}
      />
      <span class="soft tally">{children}</span>
      <button
        type="button"
        class={isNow && !isHeld.value ? 'live' : ''}
        onClick={() => go({ at: null })}
        aria-pressed={isNow}
      >
        {endName}
      </button>
    </div>
  );
}

function ActorScrubber({ steps }: { readonly steps: readonly Step[] }) {
  const at = step.value;
  const place = at ? steps.indexOf(at) : steps.length - 1;
  const isLost = at === undefined && route.value.at !== null;
  const told = at
    ? `step ${place + 1} of ${steps.length}`
    : `${counted(steps.length, 'step')} kept`;
  return (
    <Slider
      place={place}
      count={steps.length}
      told={at ? `after ${at.event}` : 'now'}
      onPlace={goToStep}
      isNow={at === undefined}
      endName={isHeld.value ? 'held' : 'now'}
    >
      {isLost ? `step ${route.value.at} is not kept` : told}
    </Slider>
  );
}

/** All of the recording, by the lines of its log. */
export function RecordingScrubber() {
  const info = recording.value;
  if (!info) return null;
  const at = route.value.at ?? info.lastSeq;
  const row = log.value.find(({ seq }) => seq === at);
  const count = info.lastSeq - info.firstSeq + 1;
  return (
    <Slider
      place={at - info.firstSeq}
      count={count}
      told={row ? `${clock(row.atMs)}, ${row.text}` : `line ${at}`}
      onPlace={(place) => {
        const seq = Math.min(info.lastSeq, Math.max(info.firstSeq, info.firstSeq + place));
        go({ at: seq === info.lastSeq ? null : seq });
      }}
      isNow={route.value.at === null}
      endName="end"
    >
      {row ? `${clock(row.atMs)} · ${eventName(row.text)}` : `${count} lines`}
    </Slider>
  );
}

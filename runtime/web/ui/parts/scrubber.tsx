import { go, step } from '../store.ts';
import type { Step } from '../wire.types.ts';

/** Goes back in time, to look and not to change. */
export function Scrubber({ steps }: { readonly steps: readonly Step[] }) {
  const at = step.value;
  const place = at ? steps.indexOf(at) : steps.length - 1;
  const goTo = (index: number): void =>
    go({ at: index >= steps.length - 1 ? null : (steps[index]?.seq ?? null) });
  return (
    <div class="bar scrubber">
      <button type="button" disabled={place <= 0} onClick={() => goTo(place - 1)} aria-label="Back">
        ◂
      </button>
      <input
        type="range"
        min={0}
        max={Math.max(0, steps.length - 1)}
        value={Math.max(0, place)}
        disabled={steps.length < 2}
        aria-label="Step"
        aria-valuetext={at ? `after ${at.event}` : 'now'}
        onInput={({ currentTarget }) => goTo(Number(currentTarget.value))}
      />
      <button
        type="button"
        class={at ? '' : 'live'}
        onClick={() => go({ at: null })}
        aria-pressed={at === undefined}
      >
        ● now
      </button>
      <span class="soft">
        {at ? `after ${at.event}, ` : ''}
        {steps.length} steps kept
      </span>
    </div>
  );
}

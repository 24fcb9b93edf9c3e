import { Icon } from './icon.tsx';
import type { IconName } from './icon.tsx';
import type { Mood } from './mood.ts';

interface Look {
  readonly sign: string;
  readonly mood: Mood;
}

/** Colour is never the only sign: each status has a shape of its own. */
const LOOKS: Readonly<Record<string, Look>> = {
  running: { sign: '●', mood: 'good' },
  crashed: { sign: '✕', mood: 'bad' },
  restarting: { sign: '↻', mood: 'busy' },
  starting: { sign: '◌', mood: 'busy' },
  stopping: { sign: '◌', mood: 'busy' },
  stopped: { sign: '○', mood: 'idle' },
  done: { sign: '○', mood: 'idle' },
};

const lookOf = (status: string): Look => LOOKS[status] ?? { sign: '●', mood: 'good' };

/** Only the sign, for a line that has the word elsewhere. */
export const Sign = ({ status }: { readonly status: string }) => (
  <span class={`sign ${lookOf(status).mood}`} title={status}>
    {lookOf(status).sign}
  </span>
);

export const Status = ({ status }: { readonly status: string }) => (
  <span class={`chip plain ${lookOf(status).mood}`}>
    <span aria-hidden="true">{lookOf(status).sign}</span> {status}
  </span>
);

const ICONS: Readonly<Record<Mood, IconName>> = {
  good: 'check',
  bad: 'warning',
  busy: 'forward',
  idle: 'minus',
};

/** A word with a sign before it: how something of the mesh is doing. */
export const Verdict = ({ mood, text }: { readonly mood: Mood; readonly text: string }) => (
  <span class={`chip plain ${mood}`}>
    <Icon name={ICONS[mood]} /> {text}
  </span>
);

import {
  canSend,
  frozen,
  go,
  hold,
  isHeld,
  isHelpOpen,
  isLive,
  linkTo,
  liveLog,
  recording,
  route,
  title,
} from '../store.ts';
import { PAGES } from '../route.ts';
import type { PageName } from '../route.ts';
import { Icon, Mark } from './icon.tsx';
import { switchTheme } from './theme.ts';

const NAMES: Readonly<Record<PageName, string>> = {
  actors: 'Actors',
  machines: 'Machines',
  workloads: 'Workloads',
  mesh: 'Mesh',
  messages: 'Messages',
  events: 'Events',
};

/** Whether what is seen moves: live, held, recorded, or cut off. */
function Pulse() {
  const [kind, text] = !isLive.value
    ? ['lost', 'connecting…']
    : recording.value
      ? ['recorded', 'recording']
      : isHeld.value
        ? ['held', 'held']
        : ['live', 'live'];
  return (
    <span class={`pulse ${kind}`} role="status">
      <i aria-hidden="true" />
      {text}
    </span>
  );
}

/** How many lines the log has that the held view does not show. */
const missed = (): number =>
  (liveLog.value.at(-1)?.seq ?? 0) - (frozen.value?.log.at(-1)?.seq ?? 0);

function Hold() {
  const count = isHeld.value ? missed() : 0;
  return (
    <button
      type="button"
      aria-pressed={isHeld.value}
      onClick={hold}
      title="Hold the view as it is (space)"
    >
      <Icon name={isHeld.value ? 'play' : 'pause'} />
      {isHeld.value ? `Resume${count > 0 ? ` · ${count} new` : ''}` : 'Hold'}
    </button>
  );
}

/** What this is, where one can go, and whether it is live. */
export function Header() {
  return (
    <header>
      <a class="brand" href={linkTo('actors')}>
        <Mark />
        <h1>{title.value}</h1>
      </a>
      <Pulse />
      <nav aria-label="Pages">
        {PAGES.map((page) => (
          <a
            key={page}
            href={linkTo(page)}
            aria-current={route.value.page === page ? 'page' : undefined}
          >
            {NAMES[page]}
          </a>
        ))}
      </nav>
      <div class="tools">
        <span class="mode" title={canSend.value ? 'Started with --allow-send' : 'It only shows'}>
          {canSend.value ? 'read + send' : 'read only'}
        </span>
        {recording.value && route.value.recording !== null && (
          <button type="button" onClick={() => go({ recording: null, at: null })}>
            <Icon name="cross" />
            Close recording
          </button>
        )}
        {!recording.value && <Hold />}
        <button
          type="button"
          class="square"
          aria-label="Keys"
          title="Keys (?)"
          onClick={() => (isHelpOpen.value = true)}
        >
          <Icon name="keys" />
        </button>
        <button
          type="button"
          class="square"
          aria-label="Light or dark"
          title="Light or dark"
          onClick={switchTheme}
        >
          <Icon name="theme" />
        </button>
      </div>
    </header>
  );
}

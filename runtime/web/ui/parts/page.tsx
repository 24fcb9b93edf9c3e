import { isLive, canSend, notice, route, title } from '../store.ts';
import type { PageName } from '../route.ts';
import { ActorView } from './actor-view.tsx';
import { EventLog } from './event-log.tsx';
import { MachineList } from './machine-list.tsx';
import { useKeys } from './keys.ts';
import { Tree } from './tree.tsx';

const PAGES: readonly (readonly [PageName, string])[] = [
  ['actors', 'Actors'],
  ['machines', 'Machines'],
  ['events', 'Events'],
];

function Header() {
  return (
    <header>
      <h1>{title.value}</h1>
      <span class={`badge ${isLive.value ? 'live' : 'lost'}`} role="status">
        {isLive.value ? 'live' : 'connecting…'}
      </span>
      <span class="soft">{canSend.value ? 'read + send' : 'read only'}</span>
      <nav aria-label="Pages">
        {PAGES.map(([page, name]) => (
          <a
            key={page}
            href={`#/${page}`}
            aria-current={route.value.page === page ? 'page' : undefined}
          >
            {name}
          </a>
        ))}
      </nav>
      <button type="button" onClick={switchTheme} title="Light or dark">
        ◐ theme
      </button>
    </header>
  );
}

function switchTheme(): void {
  const { dataset } = document.documentElement;
  const isDark = dataset['theme']
    ? dataset['theme'] === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  dataset['theme'] = isDark ? 'light' : 'dark';
}

function Notice() {
  if (notice.value === '') return null;
  return (
    <output class="notice">
      {notice.value}{' '}
      <button type="button" onClick={() => (notice.value = '')} aria-label="Dismiss">
        ×
      </button>
    </output>
  );
}

/** The whole page. */
export function Page() {
  useKeys();
  const { page } = route.value;
  return (
    <>
      <Header />
      <Notice />
      {page === 'actors' && (
        <main class="actors">
          <Tree />
          <ActorView />
          <EventLog isWhole={false} />
        </main>
      )}
      {page === 'machines' && (
        <main class="machines">
          <MachineList />
        </main>
      )}
      {page === 'events' && (
        <main class="events">
          <EventLog isWhole={true} />
        </main>
      )}
    </>
  );
}

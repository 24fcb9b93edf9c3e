import type { ComponentChild } from 'preact';
import { isHelpOpen, notice, route } from '../store.ts';
import type { PageName } from '../route.ts';
import { ActorView } from './actor-view.tsx';
import { EventLog } from './event-log.tsx';
import { Header } from './header.tsx';
import { Icon } from './icon.tsx';
import { KeyHelp } from './key-help.tsx';
import { MachineList } from './pages/machine-list.tsx';
import { MeshPage } from './pages/mesh-page.tsx';
import { MessagesPage } from './pages/messages-page.tsx';
import { useKeys } from './keys.ts';
import { Tree } from './tree.tsx';
import { WorkloadsPage } from './pages/workloads-page.tsx';

function Notice() {
  const said = notice.value;
  return (
    <output class="notices" role="status">
      {said && (
        <div class={said.isBad ? 'notice bad' : 'notice'}>
          <Icon name={said.isBad ? 'warning' : 'check'} />
          <span>{said.text}</span>
          <button
            type="button"
            class="bare"
            onClick={() => (notice.value = null)}
            aria-label="Dismiss"
          >
            <Icon name="cross" />
          </button>
        </div>
      )}
    </output>
  );
}

const CONTENTS: Readonly<Record<PageName, () => ComponentChild>> = {
  actors: () => (
    <>
      <Tree />
      <ActorView />
      <EventLog isWhole={false} />
    </>
  ),
  machines: () => <MachineList />,
  workloads: () => <WorkloadsPage />,
  mesh: () => <MeshPage />,
  messages: () => <MessagesPage />,
  events: () => <EventLog isWhole={true} />,
};

/** The whole page. */
export function Page() {
  useKeys();
  const { page } = route.value;
  return (
    <>
      <Header />
      <main class={page}>{CONTENTS[page]()}</main>
      <Notice />
      {isHelpOpen.value && <KeyHelp />}
    </>
  );
}

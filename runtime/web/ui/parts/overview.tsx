import { actors, linkTo } from '../store.ts';
import { counted, nameOf, shortState } from '../names.ts';
import { overviewOf } from '../overview-rows.ts';
import type { ActorRow } from '../wire.types.ts';
import { Figure } from './figure.tsx';

interface ListProps {
  readonly title: string;
  readonly rows: readonly ActorRow[];
  readonly count: (row: ActorRow) => string;
}

function List({ title, rows, count }: ListProps) {
  if (rows.length === 0) return null;
  return (
    <div>
      <h3>{title}</h3>
      <ul>
        {rows.map((row) => (
          <li key={row.path}>
            <a href={linkTo('actors', row.path)} title={row.path}>
              {nameOf(row)}
            </a>
            <span class="soft mono">{shortState(row.state || row.status)}</span>
            <span class="soft tally">{count(row)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Where nothing is chosen yet: how the whole tree is doing, and where it is worth to look. */
export function Overview() {
  const all = overviewOf(actors.value.values());
  return (
    <div class="overview">
      <dl class="figures">
        <Figure name="actors" value={String(actors.value.size)} />
        <Figure name="supervisors" value={String(all.supervisors)} />
        <Figure name="with a chart" value={String(all.machines)} />
        <Figure name="restarts" value={String(all.restarts)} isHot={all.restarts > 0} />
        <Figure name="crashed" value={String(all.crashed)} isHot={all.crashed > 0} />
      </dl>
      <div class="lists">
        <List
          title="Restarted"
          rows={all.troubled}
          count={(row) => counted(row.restarts, 'restart')}
        />
        <List title="Busiest" rows={all.busiest} count={(row) => counted(row.events, 'event')} />
      </div>
      <p class="fine">
        Choose an actor: click one, or walk with <kbd>↓</kbd> <kbd>↑</kbd> <kbd>→</kbd> <kbd>←</kbd>
        . Its chart is lit as it moves. <kbd>?</kbd> shows all keys.
      </p>
    </div>
  );
}

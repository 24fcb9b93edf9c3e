import { now, views } from '../../store.ts';
import { ago, day } from '../../names.ts';
import type { MessageLine } from '../../views.types.ts';
import { Empty } from '../empty.tsx';
import { Icon } from '../icon.tsx';
import { Unavailable } from './offer.tsx';

/** The public feed, newest first; what could not be verified is marked. */
export function MessagesPage() {
  const view = views.value.messages;
  if (!view?.available)
    return (
      <section class="panel" aria-label="Messages">
        <Unavailable what="public messages" offer={view} />
      </section>
    );
  return (
    <section class="panel" aria-label="Messages">
      <div class="bar">
        <h2>Public messages</h2>
        <span class="soft tally">{view.rows.length} shown, newest first</span>
      </div>
      {view.rows.length === 0 ? (
        <Empty title="Nobody has said anything yet" command="mesh msg post 'hello, mesh'">
          Messages are signed, and reach every peer, also those that are away now.
        </Empty>
      ) : (
        <ol class="feed" tabIndex={0} aria-label="Feed">
          {view.rows.map((row) => (
            <Message key={row.id} row={row} />
          ))}
        </ol>
      )}
    </section>
  );
}

function Message({ row }: { readonly row: MessageLine }) {
  const { author, authorName, kind, text, atMs, isVerified } = row;
  const who = authorName ?? `${author.slice(0, 12)}…`;
  return (
    <li class={isVerified ? '' : 'unverified'}>
      <span class="face" style={{ background: hueOf(author) }} aria-hidden="true">
        {who.slice(0, 2)}
      </span>
      <div>
        <div class="soft">
          <b title={author}>{who}</b>
          {kind !== 'public' && <span class="chip plain">{kind}</span>}
          {!isVerified && (
            <span class="chip plain bad">
              <Icon name="warning" /> not verified
            </span>
          )}
          <time dateTime={new Date(atMs).toISOString()} title={day(atMs)}>
            {ago(atMs, now.value)}
          </time>
        </div>
        <p>{text}</p>
      </div>
    </li>
  );
}

/** The same colour for the same key, dark enough for white letters. */
const hueOf = (author: string): string =>
  `hsl(${Number.parseInt(author.slice(0, 4), 16) % 360 || 0} 45% 30%)`;

import { switchTheme } from '../parts/theme.ts';
import { post } from './live.ts';
import { draft, isLive, isPosting, notice, now, peer, shown } from './store.ts';
import type { FeedMessage } from './wire.types.ts';

const ID_SHOWN = 12;
const STEPS: readonly (readonly [number, string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1_000, 's'],
];

/** All of the page: whose feed it is, a line to post, the messages. */
export function FeedPage() {
  return (
    <>
      <Header />
      <main class="feed">
        <h1>Messages</h1>
        <Composer />
        {notice.value === null ? null : (
          <p class="notice" role="alert">
            {notice.value}
          </p>
        )}
        <ol aria-label="Messages, newest first" aria-live="polite">
          {shown.value.map((message) => (
            <Message key={message.id} message={message} />
          ))}
        </ol>
        {shown.value.length === 0 ? <p class="soft">Nobody has written anything yet.</p> : null}
      </main>
    </>
  );
}

function Header() {
  const known = peer.value;
  const relay = known?.relay ?? null;
  return (
    <header class="top">
      <strong>mesh feed</strong>
      {known === null ? null : (
        <span class="soft">
          peer <span class="mono">{known.peerId.slice(0, ID_SHOWN)}</span> of {known.meshId}
        </span>
      )}
      {relay === null ? null : <span class="soft">relay {relay.state}</span>}
      <span class={`live ${isLive.value ? 'on' : 'off'}`} role="status">
        {isLive.value ? 'live' : 'reconnecting'}
      </span>
      <button type="button" onClick={switchTheme}>
        Light or dark
      </button>
    </header>
  );
}

function Composer() {
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void post();
      }}
    >
      <label for="text">Post to everybody</label>
      <textarea
        id="text"
        rows={2}
        value={draft.value}
        onInput={({ currentTarget }) => (draft.value = currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void post();
        }}
      />
      <button type="submit" disabled={draft.value.trim() === '' || isPosting.value}>
        Post
      </button>
    </form>
  );
}

function Message({ message }: { readonly message: FeedMessage }) {
  const { author, authorName, createdAt, isOwn, isVerified, kind, text, bytes, id } = message;
  const name = isOwn ? 'this peer' : (authorName ?? author.slice(0, ID_SHOWN));
  return (
    <li data-id={id} class={isVerified ? 'message' : 'message unverified'}>
      <div class="about">
        {/* What a stranger writes must not turn the line around it. */}
        <bdi class={authorName === null && !isOwn ? 'author mono' : 'author'} title={author}>
          {name}
        </bdi>
        {isVerified ? null : (
          <span class="badge" title="The key of its author is not known here yet.">
            not verified
          </span>
        )}
        {kind === 'public' ? null : <span class="badge plain">{kind}</span>}
        <time class="soft push" datetime={createdAt} title={createdAt}>
          {ago(now.value - Date.parse(createdAt))}
        </time>
      </div>
      {text === null ? (
        <p class="soft">{bytes} bytes that cannot be read here</p>
      ) : (
        <p class="text">
          <bdi>{text}</bdi>
        </p>
      )}
    </li>
  );
}

function ago(ms: number): string {
  const [unitMs, unit] = STEPS.find(([stepMs]) => ms >= stepMs) ?? [1_000, 's'];
  return ms < 1_000 ? 'now' : `${String(Math.floor(ms / unitMs))} ${unit} ago`;
}

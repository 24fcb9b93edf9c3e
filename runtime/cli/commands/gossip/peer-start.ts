import { startPeer } from '../../../gossip/peer/start-peer.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import type { Run } from '../../command.ts';
import { count } from '../../option-values.ts';
import { relayOf } from '../../gossip/relay-setting.ts';
import { serveUntilSignal } from '../../serve-until-signal.ts';

/** Asks and answers other peers until SIGTERM (exit 0) or Ctrl-C (exit 130). */
export const run: Run = async (invocation) => {
  const { out, settings } = invocation;
  const feedPort = count(invocation, 'feedPort', { min: 0, max: 65_535 });
  const all = await settings();
  const { home, log, meshId } = all;
  const logger = createLogger({ level: log });
  return serveUntilSignal(async () => {
    const peer = await startPeer({ home, meshId, relay: relayOf(all), logger: logger.line });
    const feed = feedPort === undefined ? undefined : await peer.feed({ port: feedPort });
    const info = await peer.info();
    out.data({ ...info, feedUrl: feed?.url ?? null }, () => info.publicKey);
    out.note(`The peer ${info.peerId} of ${meshId} runs, at ${info.relay?.url ?? 'no relay'}.`);
    if (feed !== undefined) out.note(`Its feed: ${feed.url} (works once)`);
    out.note(`Elsewhere: mesh peer add ${info.publicKey}   here: mesh sync, mesh msg tail`);
    return peer;
  });
};

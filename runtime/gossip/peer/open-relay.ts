import type { Clock } from '../../../machines/kernel/clock.ts';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import type { Random } from '../../../machines/kernel/random.ts';
import { createRelayClient } from '../../relay/client.ts';
import type { ClosableRelayClient } from '../../relay/client.ts';
import type { PeerKey } from '../envelope-codec.ts';
import { peerError } from '../errors.ts';
import { RelayWatch } from './relay-watch.ts';

/** A peer's way to its relay, watched. */
export interface OpenedRelay {
  readonly watch: RelayWatch;
  /** Idempotent. */
  close(): void;
}

/** Connects nothing yet. MESH_ERR_PEER_RELAY for an address that is none. */
export function openRelay(options: {
  readonly url: string;
  readonly key: PeerKey;
  readonly clock: Clock;
  readonly random: Random;
}): OpenedRelay {
  let client: ClosableRelayClient;
  try {
    client = createRelayClient(options);
  } catch (cause) {
    if (codeOf(cause) !== 'MESH_ERR_RELAY_REQUEST') throw cause;
    const found = `Using the relay ${options.url}: it is no http://HOST:PORT.`;
    throw peerError('MESH_ERR_PEER_RELAY', found, { cause });
  }
  return {
    watch: new RelayWatch(options.url, client, options.clock),
    close: () => {
      client.close();
    },
  };
}

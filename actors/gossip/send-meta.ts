/** Sends one meta message: signed, to one peer, by the relay, at once. Whoever needs an answer asks again. */
import { CodedError, codeOf } from '../../machines/kernel/coded-error.ts';
import type { MetaMessage } from '../../machines/gossip/meta-message.schema.ts';
import type { Posted } from '../../machines/gossip/session-rules.ts';
import { META_TTL_SECONDS } from '../../machines/gossip/session-limits.ts';
import type { PostResult } from './ports/relay-client.ts';
import type { GossipPorts } from './ports/services.ts';

export async function sendMeta(
  { clock, signer, meta, relay }: Pick<GossipPorts, 'clock' | 'signer' | 'meta' | 'relay'>,
  recipientId: string,
  message: MetaMessage,
  signal: AbortSignal,
): Promise<Posted> {
  const envelope = signer.sign({
    kind: 'meta',
    recipientId,
    body: meta.encode(message),
    createdAtMs: clock.now(),
    seq: 0,
    ttlSeconds: META_TTL_SECONDS,
  });
  try {
    const [result] = await relay.post([envelope], signal);
    return postedOf(result);
  } catch (error) {
    return lostOf(error);
  }
}

function postedOf(result: PostResult | undefined): Posted {
  if (result?.type === 'refused')
    return { type: result.retryable ? 'lost' : 'refused', code: result.code };
  return { type: 'posted' };
}

/** What the relay could not do is a loss; a fault of the program is thrown on. */
export function lostOf(error: unknown): Extract<Posted, { readonly code: string }> {
  const code = codeOf(error);
  if (code?.startsWith('MESH_ERR_RELAY_') !== true) throw error;
  const isLost = !(error instanceof CodedError) || error.retryable;
  return { type: isLost ? 'lost' : 'refused', code };
}

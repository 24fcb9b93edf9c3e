/** What a relay does with envelopes: looks at each on its own, and keeps what it may. */
import type { Clock } from '../../machines/kernel/clock.ts';
import { CodedError } from '../../machines/kernel/coded-error.ts';
import { expiresAt, refuseUntimely } from '../../machines/gossip/envelope.ts';
import { EVERYBODY } from '../../machines/gossip/envelope.schema.ts';
import { relayError } from '../../machines/gossip/relay-errors.ts';
import type { Mail, MailResult, RelayStore } from '../adapters/relay-store.sqlite.ts';
import { decodeEnvelope, proveEnvelope } from '../gossip/envelope-codec.ts';
import type { Admitted } from './admission.ts';
import type { RelayCounters } from './counters.ts';
import type { RelayLimits } from './limits.ts';

/** One line of the answer to a post. */
export type PostedResult =
  | { readonly result: 'accepted' | 'duplicate' }
  | {
      readonly result: 'refused';
      readonly code: string;
      readonly message: string;
      readonly retryable: boolean;
    };

export interface PostOfficeOptions {
  readonly store: RelayStore;
  readonly clock: Clock;
  readonly limits: RelayLimits;
  readonly counters: RelayCounters;
  /** Envelopes of another mesh are refused; default: any mesh. */
  readonly meshId?: string;
  /** Told after the commit: something new is in that inbox. */
  readonly onMail: (peer: string) => void;
}

export class PostOffice {
  readonly #options: PostOfficeOptions;

  constructor(options: PostOfficeOptions) {
    this.#options = options;
  }

  /** One result per line, in order. What is accepted is durable when this resolves. */
  async post(sender: Admitted, lines: readonly Uint8Array[]): Promise<readonly PostedResult[]> {
    const { store, limits, counters, onMail } = this.#options;
    const looked = lines.map((line) => this.#look(sender, line));
    const mail = looked.filter((one): one is Mail => !(one instanceof CodedError));
    const kept = mail.length === 0 ? [] : await store.accept(mail, limits);
    const recipients = new Set<string>();
    for (const [at, one] of mail.entries())
      if (kept[at] === 'accepted') recipients.add(one.recipient);
    for (const peer of recipients) onMail(peer);
    const results = kept.values();
    return looked.map((one) => {
      const posted =
        one instanceof CodedError
          ? refusal(one)
          : resultOf(one, results.next().value ?? 'inboxFull');
      counters.envelope(posted.result);
      if (posted.result === 'refused') counters.refused(posted.code);
      return posted;
    });
  }

  #look(sender: Admitted, line: Uint8Array): Mail | CodedError {
    const { clock, meshId } = this.#options;
    try {
      const envelope = decodeEnvelope(line);
      const { header } = envelope;
      if (header.sender_id !== sender.peer)
        throw relayError(
          'MESH_ERR_RELAY_SENDER',
          `Taking ${header.message_id} of ${header.sender_id}: ${sender.peer} posts it.`,
        );
      if (header.recipient_id === EVERYBODY)
        throw relayError(
          'MESH_ERR_RELAY_RECIPIENT',
          `Taking ${header.message_id}: it is for everybody.`,
        );
      refuseUntimely(header, meshId ?? header.mesh_id, clock.now());
      proveEnvelope(envelope, Buffer.from(sender.key, 'hex'));
      return {
        messageId: header.message_id,
        recipient: header.recipient_id,
        sender: sender.peer,
        senderKey: sender.key,
        expiresAtMs: expiresAt(header),
        text: Buffer.from(line).toString('latin1'),
      };
    } catch (error) {
      if (error instanceof CodedError) return error;
      throw error;
    }
  }
}

const refusal = ({ code, message, retryable }: CodedError): PostedResult => ({
  result: 'refused',
  code,
  message,
  retryable,
});

const FULL = {
  inboxFull: ['MESH_ERR_RELAY_INBOX_FULL', 'the inbox of its recipient is full'],
  senderFull: ['MESH_ERR_RELAY_SENDER_FULL', 'too much of its sender waits'],
} as const;

function resultOf(mail: Mail, result: MailResult): PostedResult {
  if (result === 'accepted' || result === 'duplicate') return { result };
  const [code, found] = FULL[result];
  return refusal(relayError(code, `Taking ${mail.messageId} for ${mail.recipient}: ${found}.`));
}

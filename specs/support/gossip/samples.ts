/** How each gossip machine may begin, what may happen to it, and what tells two of its states apart. */
import type { expiryMachine } from '../../../machines/gossip/expiry.machine.ts';
import type { inboxMachine } from '../../../machines/gossip/inbox.machine.ts';
import type {
  MeshAvailable,
  MeshDelivery,
  MessageRequest,
} from '../../../machines/gossip/meta-message.schema.ts';
import type { outboxMachine } from '../../../machines/gossip/outbox.machine.ts';
import type { RequesterEvent, RequesterInput } from '../../../machines/gossip/requester-setup.ts';
import type { requesterMachine } from '../../../machines/gossip/requester.machine.ts';
import type {
  ResponderContext,
  responderMachine,
} from '../../../machines/gossip/responder.machine.ts';
import type { syncMachine } from '../../../machines/gossip/sync.machine.ts';
import type { ModelOptions } from '../model/model-paths.ts';

/** A peer id, by a digit. */
export const idOf = (digit: string): string => digit.repeat(64);
export const PEER = idOf('b');
export const SESSION = '5'.repeat(32);

/** A page of the one who is asked. */
export const available = (fields: Partial<MeshAvailable> = {}): MeshAvailable => ({
  type: 'mesh_available',
  peer_id: PEER,
  session_id: SESSION,
  since_timestamp: 0,
  message_ids: [idOf('1')],
  answers: null,
  cursor: null,
  end: true,
  as_of: 0,
  ...fields,
});

/** What the one who is asked delivers. */
export const delivery = (fields: Partial<MeshDelivery> = {}): MeshDelivery => ({
  type: 'mesh_delivery',
  peer_id: PEER,
  session_id: SESSION,
  envelopes: [],
  sender_keys: {},
  cursor: 'request-0',
  end: true,
  gone: [],
  ...fields,
});

export const requesterInput = (fields: Partial<RequesterInput> = {}): RequesterInput => ({
  peer: PEER,
  session: SESSION,
  startedAtMs: 0,
  sinceMs: 0,
  spreadMs: 10,
  reconciles: false,
  isContinued: false,
  ...fields,
});

const COUNTS = { stored: 1, duplicates: 0, quarantined: 0, refused: 0 };
/** The page after the first. */
const SECOND = 'page-2';

const POSTS = [
  { type: 'posted' },
  { type: 'lost', code: 'MESH_ERR_RELAY_UNAVAILABLE' },
  { type: 'refused', code: 'MESH_ERR_RELAY_QUOTA' },
];

const PAGES: readonly RequesterEvent[] = [
  { type: 'available.received', answer: available() },
  { type: 'available.received', answer: available({ cursor: SECOND, end: false }) },
  { type: 'available.received', answer: available({ answers: SECOND }) },
  { type: 'available.received', answer: available({ message_ids: [], end: false }) },
  { type: 'available.received', answer: available({ session_id: '6'.repeat(32) }) },
  { type: 'delivery.received', answer: delivery() },
  { type: 'delivery.received', answer: delivery({ gone: [idOf('1')] }) },
  { type: 'delivery.received', answer: delivery({ cursor: 'request-1' }) },
  { type: 'delivery.received', answer: delivery({ cursor: 'another' }) },
];
const ROUNDS: readonly RequesterEvent[] = [
  { type: 'available.received', answer: available({ message_ids: [], reconcile: '61' }) },
  {
    type: 'available.received',
    answer: available({ message_ids: [], answers: 'round-1', reconcile: '61' }),
  },
  { type: 'delivery.received', answer: delivery() },
];

/** A session whose pages and rounds are two, and whose first page may miss two messages. */
export const requesterModel = (
  input: Partial<RequesterInput> = {},
): ModelOptions<typeof requesterMachine> => ({
  input: requesterInput(input),
  samples: input.reconciles === true ? ROUNDS : PAGES,
  outputs: {
    askAvailable: POSTS,
    findMissing: ({ page }: { page: MeshAvailable | null }) => [
      { type: 'found', missing: [], frame: null },
      ...(page?.reconcile === undefined
        ? [{ type: 'found', missing: page?.message_ids ?? [], frame: null }]
        : [
            { type: 'found', missing: [idOf('1')], frame: '6102' },
            { type: 'malformed', code: 'MESH_ERR_RECONCILE_FRAME' },
          ]),
    ],
    askMessages: POSTS,
    verifyDelivery: [
      { settlement: {}, settled: [], refused: 0, duplicates: 0 },
      { settlement: {}, settled: [idOf('1')], refused: 0, duplicates: 0 },
    ],
    storeAccepted: [COUNTS],
  },
  serialize: ({ cursor, page, missing, frame, attempts, tally, outcome, ...context }) => ({
    cursor,
    isMore: page?.end === false,
    next: page?.cursor,
    missing,
    frame,
    attempts: Math.min(attempts, 4),
    settled: (context.accepted?.settled ?? []).length,
    gone: context.delivery?.gone,
    isSkipped: tally.skipped > 0,
    pages: Math.min(context.pages, 2),
    requests: context.requests,
    outcome,
    isReconciling: context.isReconciling,
    crash: context.crash,
  }),
});

const REQUEST: MessageRequest = {
  type: 'message_request',
  peer_id: PEER,
  session_id: SESSION,
  since_timestamp: 0,
  cursor: null,
  capabilities: [],
};
/** Another question of the same session. */
const MORE = { ...REQUEST, cursor: SECOND };

/** One who is asked. */
export const responderModel: ModelOptions<typeof responderMachine> = {
  input: { peer: PEER, session: SESSION },
  samples: [
    { type: 'question.received', question: REQUEST },
    { type: 'question.received', question: MORE },
  ],
  outputs: {
    admitQuestion: [{ isAdmitted: true }, { isAdmitted: false }],
    readAnswer: [{ answer: available() }, { answer: null }],
    sendAnswer: POSTS,
  },
  serialize: ({ question, next, crash }: ResponderContext) => ({
    question: question?.type === 'message_request' ? question.cursor : undefined,
    next: next?.type === 'message_request' ? next.cursor : undefined,
    crash,
  }),
};

const START = { peer: PEER, completedAtMs: null, open: null };

/** A loop with one peer, due or not. */
export const syncModel: ModelOptions<typeof syncMachine> = {
  input: undefined,
  samples: [{ type: 'sync' }, { type: 'peers.changed' }, { type: 'session.ended', peer: PEER }],
  outputs: {
    choosePeers: [
      { starts: [], waitMs: 600_000 },
      { starts: [START], waitMs: 600_000 },
    ],
  },
};

/** An inbox with a message or none, and a relay that can be away. */
export const inboxModel: ModelOptions<typeof inboxMachine> = {
  input: undefined,
  samples: [{ type: 'relay.woke' }],
  outputs: {
    leaseMail: [
      { type: 'leased', leases: [] },
      { type: 'leased', leases: ['lease-1'] },
      { type: 'unreachable', code: 'MESH_ERR_RELAY_UNAVAILABLE' },
    ],
    handleMail: [['lease-1']],
  },
  serialize: ({ failures, ...context }) => ({ ...context, failures: Math.min(failures, 2) }),
};

/** An outbox in which something waits, or nothing. */
export const outboxModel: ModelOptions<typeof outboxMachine> = {
  input: undefined,
  samples: [{ type: 'mail.added' }],
  outputs: { sendMail: [{ dueInMs: null }, { dueInMs: 2_000 }] },
};

/** A store in which there is more to do, or not. */
export const expiryModel: ModelOptions<typeof expiryMachine> = {
  input: undefined,
  samples: [{ type: 'keys.added' }],
  outputs: {
    sweepStore: [
      { pruned: 0, isMore: false },
      { pruned: 1000, isMore: true },
    ],
  },
  serialize: ({ crash }) => crash,
};

/** Binds the answering side of a session, and keeps responders: one for each session, a bounded number. */
import { fromPromise } from 'xstate';
import { crash } from '../../machines/kernel/unbound.ts';
import type { MetaQuestion } from '../../machines/gossip/meta-message.schema.ts';
import { responderMachine } from '../../machines/gossip/responder.machine.ts';
import { RESPONDERS_MAX, RESPONDERS_PER_PEER_MAX } from '../../machines/gossip/session-limits.ts';
import { childSpec } from '../../supervisor/index.ts';
import { answerQuestion } from './answer-question.ts';
import { RESPONDERS_ID, responderId, responderPath } from './paths.ts';
import type { GossipPorts } from './ports/services.ts';
import { sendMeta } from './send-meta.ts';
import { SessionCounts } from './session-counts.ts';

type Provided = NonNullable<Parameters<typeof responderMachine.provide>[0]>;
type Bindings = Required<NonNullable<Provided['actors']>>;

export function createResponderLogic(
  ports: GossipPorts,
  sessions: Pick<SessionCounts, 'admit'> = new SessionCounts(ports.clock),
) {
  const { counters } = ports;
  const actors: Bindings = {
    crash,
    admitQuestion: fromPromise(async ({ input: { peer, session, hasAnswersLeft } }) => {
      if (!hasAnswersLeft) counters.refuse('MESH_ERR_GOSSIP_ANSWERS', peer);
      else if (sessions.admit(peer, session)) return { isAdmitted: true };
      else counters.refuse('MESH_ERR_GOSSIP_SESSIONS', peer);
      return { isAdmitted: false };
    }),
    readAnswer: fromPromise(async ({ input: { peer, question } }) => ({
      answer: question === null ? null : await answerQuestion(ports, peer, question),
    })),
    sendAnswer: fromPromise(async ({ input: { peer, answer }, signal }) => {
      if (answer === null) return { type: 'posted' };
      const posted = await sendMeta(ports, peer, answer, signal);
      if (posted.type !== 'posted') counters.refuse(posted.code);
      return posted;
    }),
  };
  return responderMachine.provide({ actors });
}

/** `temporary`: a responder that crashes is its requester's to ask again. */
export const responderChildSpec = (
  logic: ReturnType<typeof createResponderLogic>,
  input: { readonly peer: string; readonly session: string },
) => childSpec({ id: responderId(input.peer, input.session), logic, input, restart: 'temporary' });

/** Gives what hands a question to the responder of its session, and starts that where there is none. */
export function createResponderKeeper(
  ports: GossipPorts,
  logic: ReturnType<typeof createResponderLogic>,
) {
  const { tree, root, counters } = ports;
  const running = new Map<string, number>();
  let total = 0;
  const count = (peer: string, by: 1 | -1): void => {
    const left = (running.get(peer) ?? 0) + by;
    total += by;
    if (left > 0) running.set(peer, left);
    else running.delete(peer);
  };
  const start = async (peer: string, session: string): Promise<boolean> => {
    if (total >= RESPONDERS_MAX || (running.get(peer) ?? 0) >= RESPONDERS_PER_PEER_MAX) {
      counters.refuse('MESH_ERR_GOSSIP_SESSIONS', peer);
      return false;
    }
    count(peer, 1);
    const unwatch = tree.watch(responderPath(root, peer, session), ({ type }) => {
      if (type === 'up') return;
      unwatch();
      count(peer, -1);
    });
    const spec = responderChildSpec(logic, { peer, session });
    const started = await tree.startChild(`${root}/${RESPONDERS_ID}`, spec);
    if (started.ok) return true;
    unwatch();
    count(peer, -1);
    return false;
  };
  return async (question: MetaQuestion): Promise<void> => {
    const { peer_id: peer, session_id: session } = question;
    const path = responderPath(root, peer, session);
    const isThere = tree.snapshotOf(path)?.status === 'active' || (await start(peer, session));
    if (isThere) tree.send(path, { type: 'question.received', question });
  };
}

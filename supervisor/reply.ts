/** How a machine answers what it was asked, in an action of its own. */
import type { EventObject } from 'xstate';
import type { Asked } from './delivery/asks.ts';

/** As much of an action's arguments as an answer needs. */
interface ReplyArgs {
  readonly event: EventObject;
  readonly system: unknown;
}

interface Directory {
  get(path: string): { send(event: EventObject): void } | undefined;
}

/**
 * An action that answers the event it is called with, if that was asked with `tree.ask`; for one that
 * was only sent it does nothing. An answer that comes too late is a dead letter.
 *
 * @example
 * actions: { tellCount: reply(({ context }) => ({ type: 'count.told', count: context.count })) }
 */
export const reply =
  <Args extends ReplyArgs>(answer: (args: Args) => EventObject) =>
  (args: Args): void => {
    const { replyTo } = args.event as Asked<EventObject>;
    if (replyTo === undefined) return;
    (args.system as Directory).get(replyTo)?.send(answer(args));
  };

/** What a page may say. */
import type { RawData } from 'ws';
import { z } from 'zod';
import type { ClientMessage } from '../ui/wire.types.ts';

const PATH = z.string().min(1).max(1_024);

/** Events of XState's own say what has happened to an actor; nobody may make them up. */
const isSendable = (event: Readonly<Record<string, unknown>>): boolean =>
  typeof event['type'] === 'string' && /^(?!xstate\.).{1,256}$/s.test(event['type']);

/** Levels of an event: what is nested without end could not even go to the main thread. */
const DEPTH_MAX = 64;

function isShallow(event: unknown): boolean {
  let level: unknown[] = [event];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) return false;
    level = level.flatMap((one) =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    );
  }
  return true;
}

const EVENT = z
  .looseObject({ type: z.string() })
  .refine(isSendable)
  .refine(isShallow)
  .pipe(z.custom<never>());

const schema: z.ZodType<ClientMessage> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('resume'), cursor: z.int().min(0) }),
  z.strictObject({ type: z.literal('watch'), path: PATH.nullable() }),
  z.strictObject({
    type: z.literal('follow'),
    view: z.enum(['workloads', 'mesh', 'messages']).nullable(),
  }),
  z.strictObject({ type: z.literal('at'), seq: z.int().min(0).nullable() }),
  z.strictObject({
    type: z.literal('send'),
    path: PATH,
    event: EVENT,
  }),
]);

/** Undefined for anything else. */
export function clientMessage(data: RawData): ClientMessage | undefined {
  try {
    // ws gives one Buffer unless it is told otherwise.
    const parsed = schema.safeParse(JSON.parse((data as Buffer).toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // No JSON: no message, which is what the answer says.
    return undefined;
  }
}

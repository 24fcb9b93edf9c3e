/** What a page may say. */
import type { RawData } from 'ws';
import { z } from 'zod';
import type { ClientMessage } from '../ui/wire.types.ts';

const PATH = z.string().min(1).max(1_024);

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
    event: z.looseObject({ type: z.string().min(1).max(256) }).pipe(z.custom<never>()),
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

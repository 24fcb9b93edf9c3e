/** What each changing operation of the control socket takes as its JSON body. */
import { z } from 'zod';
import { isDigest, isName } from '../../machines/kernel/ids.ts';

/** More instances of one app than this is a mistake in the arguments. */
export const INSTANCES_MAX = 1_000;
const COUNT = z.int().min(0).max(INSTANCES_MAX);
/** Milli-CPUs and MiB: a thousand cores, a thousand GiB. */
const AMOUNT = z.int().min(0).max(1_048_576);

export const appName = z
  .string()
  .refine(isName, 'an app is named with lower-case letters, digits and inner hyphens, at most 63');

export const generationNumber = z.coerce.number().pipe(z.int().min(1));

const isRange = (range: { min?: number | undefined; max?: number | undefined }): boolean =>
  range.min === undefined || range.max === undefined || range.min <= range.max;
const RANGE = { message: 'min is at most max', path: ['min'] };

export const inspectBody = z.strictObject({
  port: z.int().min(0).max(65_535).optional(),
  allowSend: z.boolean().optional(),
  stately: z.boolean().optional(),
  title: z.string().max(100).optional(),
});

/** A week: a recording is full long before. */
const RECORD_MS_MAX = 7 * 24 * 60 * 60 * 1_000;

export const recordBody = z.strictObject({ forMs: z.int().min(1).max(RECORD_MS_MAX).optional() });

export const actorPath = z.string().min(1).max(1_024);

/** Events of XState's own say what has happened to an actor; nobody may make them up. */
export const sentEvent = z.looseObject({
  type: z
    .string()
    .min(1)
    .max(256)
    .refine((type) => !type.startsWith('xstate.'), 'events of XState itself cannot be sent'),
});

export const runBody = z
  .strictObject({
    digest: z.string().refine(isDigest, 'a digest has 64 lower-case hex digits'),
    min: COUNT.optional(),
    max: COUNT.optional(),
    strategy: z.enum(['blue_green', 'stop_first']).optional(),
    anyName: z.boolean().optional(),
    budget: z
      .strictObject({
        maxInstances: COUNT.optional(),
        cpuMilli: AMOUNT.optional(),
        memoryMb: AMOUNT.optional(),
      })
      .optional(),
  })
  .refine(isRange, RANGE);

export const scaleBody = z.strictObject({ min: COUNT, max: COUNT }).refine(isRange, RANGE);

export const rollbackBody = z.strictObject({ generation: z.int().min(1).optional() });

export const emptyBody = z.strictObject({});

/** What callers may hand to the control plane. Unknown fields are refused: they would be lost. */
import { z } from 'zod';
import { isDigest, isName } from '../../../machines/kernel/ids.ts';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { fabricError } from '../../../machines/workload/fabric-errors.ts';
import type { InstanceRecord } from '../../../machines/workload/instance-record.ts';
import type {
  Budget,
  Endpoint,
  NodeRecord,
  Permission,
  PlanRequest,
  Reason,
  SlotReport,
} from '../../../machines/workload/plan.ts';
import { ENDPOINTS_MAX, INSTANCES_MAX, SLOTS_PER_APP_MAX } from './limits.ts';

/** A tail and a message may be of any length where they come from; more than this helps nobody. */
const MESSAGE_CHARACTERS_MAX = 10_000;
const LOG_LINES_MAX = 20;
const LOG_LINE_CHARACTERS_MAX = 1_000;
/** Sums over all slots stay exact integers. */
const AMOUNT_MAX = 1_000_000_000;

export const nameSchema = z.string().refine(isName, 'must be a lower-case DNS label');
const digestSchema = z.custom<Digest>(
  (value) => typeof value === 'string' && isDigest(value),
  'must be 64 lower-case hex digits',
);
/** It names a folder, too. */
export const instanceSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/);
const text = z.string().min(1).max(1_000);
const amount = z.int().min(0).max(AMOUNT_MAX);
const ordinal = z
  .int()
  .min(0)
  .max(SLOTS_PER_APP_MAX - 1);
export const generationSchema = z.int().min(1);
export const timeSchema = z.int().min(0);

const limits = z.strictObject({ maxInstances: amount, cpuMilli: amount, memoryMb: amount });

export const budgetSchema: z.ZodType<Budget> = limits.extend({ app: nameSchema });

export const planRequestSchema: z.ZodType<PlanRequest> = z
  .strictObject({
    app: nameSchema,
    digest: digestSchema,
    version: text,
    min: z.int().min(0).max(SLOTS_PER_APP_MAX),
    max: z.int().min(0).max(SLOTS_PER_APP_MAX),
    strategy: z.enum(['blue_green', 'stop_first']),
    nutrients: z.strictObject({ cpuMilli: amount, memoryMb: amount }),
    restart: z.boolean().exactOptional(),
    budget: limits.exactOptional(),
  })
  .refine((request) => request.min <= request.max, 'min must not be above max');

const cutLine = (line: string): string => line.slice(0, LOG_LINE_CHARACTERS_MAX);

const reasonSchema: z.ZodType<Reason> = z.strictObject({
  code: text,
  message: z.string().transform((message) => message.slice(0, MESSAGE_CHARACTERS_MAX)),
  node: text.exactOptional(),
  instance: text.exactOptional(),
  exitCode: z.int().nullable().exactOptional(),
  signal: text.nullable().exactOptional(),
  lastProbe: z.string().transform(cutLine).nullable().exactOptional(),
  logTail: z
    .array(z.string())
    .transform((lines) => lines.slice(-LOG_LINES_MAX).map(cutLine))
    .exactOptional(),
});

export const endingSchema = z.strictObject({
  app: nameSchema,
  generation: generationSchema,
  outcome: z.enum(['succeeded', 'reverted']),
  reason: reasonSchema.nullable(),
});

const slotFields = { app: nameSchema, node: nameSchema, ordinal };

export const permitSchema = z
  .strictObject({
    app: nameSchema,
    generation: generationSchema,
    // An assignment or a report is a slot, too: what else it says is not looked at.
    slots: z.array(z.object(slotFields)).max(SLOTS_PER_APP_MAX),
    permission: z.enum(['hold', 'launch', 'serve'] satisfies Permission[]),
  })
  .refine(({ app, slots }) => slots.every((slot) => slot.app === app), 'all slots must be of app');

export const slotReportSchema: z.ZodType<SlotReport> = z.strictObject({
  ...slotFields,
  generation: generationSchema,
  state: z.enum([
    'pending',
    'launching',
    'candidate_ready',
    'serving',
    'backing_off',
    'crash_looping',
    'failed',
    'draining',
    'stopped',
  ]),
  reason: reasonSchema.nullable(),
  restarts: z.int().min(0),
  updatedAtMs: timeSchema,
});

export const nodeSchema: z.ZodType<NodeRecord> = z.strictObject({
  node: nameSchema,
  cpuMilli: amount,
  memoryMb: amount,
  expiresAtMs: timeSchema,
});

export const renewalSchema = z.strictObject({
  node: nameSchema,
  instances: z.array(instanceSchema).max(INSTANCES_MAX),
  expiresAtMs: timeSchema,
});

const endpointSchema: z.ZodType<Endpoint> = z.strictObject({
  app: nameSchema,
  url: z.url({ protocol: /^https?$/ }).max(2_000),
  node: nameSchema,
  instance: instanceSchema,
  generation: generationSchema,
  expiresAtMs: timeSchema,
});

export const switchSchema = z
  .strictObject({
    add: z.array(endpointSchema).max(ENDPOINTS_MAX),
    removeInstances: z.array(instanceSchema).max(ENDPOINTS_MAX),
  })
  .refine(
    ({ add, removeInstances }) => !add.some(({ instance }) => removeInstances.includes(instance)),
    'an instance must not be added and removed at once',
  );

export const endpointsSchema = z.array(endpointSchema).max(ENDPOINTS_MAX);

export const promotionSchema = z
  .strictObject({ endpoint: endpointSchema, previous: instanceSchema.nullable() })
  .refine(
    ({ endpoint, previous }) => endpoint.instance !== previous,
    'an instance must not replace itself',
  );

export const instanceRecordSchema: z.ZodType<InstanceRecord> = z.strictObject({
  instance: instanceSchema,
  app: nameSchema,
  node: nameSchema,
  ordinal,
  generation: generationSchema,
  digest: digestSchema,
  restart: z.int().min(0),
  version: text,
  role: z.enum(['active', 'candidate', 'retired']),
  token: text,
  process: z
    .strictObject({ pid: z.int().min(1), startTicks: z.int().min(0), bootId: text, token: text })
    .nullable(),
  port: z.int().min(1).max(65_535).nullable(),
  createdAtMs: timeSchema,
});

export const filterSchema = z.strictObject({
  app: nameSchema.exactOptional(),
  node: nameSchema.exactOptional(),
});

/** The value as the schema gives it, or MESH_ERR_FABRIC_INVALID that names the first bad field. */
export function checked<Value>(attempt: string, schema: z.ZodType<Value>, value: unknown): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw fabricError(
    'MESH_ERR_FABRIC_INVALID',
    `${attempt} was given a malformed ${field || 'argument'}: ${issue?.message ?? 'unknown'}.`,
    { details: { field } },
  );
}

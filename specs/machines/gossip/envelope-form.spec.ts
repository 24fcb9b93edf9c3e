import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEnvelope } from '../../../machines/gossip/envelope-form.ts';
import { envelopeSchema } from '../../../machines/gossip/envelope.schema.ts';
import { metaMessage, publicMessage, samplePeer } from '../../support/gossip/letters.ts';

const [ann, bob] = [samplePeer(1), samplePeer(2)];
const ID = 'a'.repeat(64);
const samples = [
  publicMessage(ann),
  publicMessage(ann, 1, { replyTo: ID }),
  metaMessage(ann, bob),
  metaMessage(ann, bob, 2, { kind: 'direct', body: Buffer.alloc(0) }),
];
const strange = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    '*',
    ID,
    ID.toUpperCase(),
    `${ID}\n`,
    'public',
    'meta',
    'group',
    'rumour',
    '',
    'a-',
    '-a',
    'Ü',
    'a'.repeat(63),
    'a'.repeat(64),
    0,
    -0,
    1,
    -1,
    0.5,
    2,
    604_800,
    604_801,
    2 ** 53,
    NaN,
    Infinity,
    'QQ==',
    'QQ',
    'QR==',
    'QQ==\n',
    ' QQ==',
    'QUE=',
    'QUF=',
    'QUFB',
  ),
);
const members = [
  ...Object.keys(samples[1]?.header ?? {}),
  'hops',
  '__proto__',
  'body',
  'signature',
];

function changed(at: number, member: string, value: unknown, isRemoved: boolean): unknown {
  const copy = structuredClone(samples[at]) as unknown as Record<string, unknown>;
  const header = copy['header'] as Record<string, unknown>;
  const target = member === 'body' || member === 'signature' ? copy : header;
  if (isRemoved) delete target[member];
  // As a parser does it: an own member, whatever its name.
  else Object.defineProperty(target, member, { value, enumerable: true, configurable: true });
  return copy;
}

describe('isEnvelope', () => {
  it('takes what the schema takes', () => {
    expect(samples.map((one) => [isEnvelope(one), envelopeSchema.safeParse(one).success])).toEqual(
      samples.map(() => [true, true]),
    );
  });

  it('says the same as the schema of any change of one member', () => {
    fc.assert(
      fc.property(
        fc.nat(samples.length - 1),
        fc.constantFrom(...members),
        strange,
        fc.boolean(),
        (at, member, value, isRemoved) => {
          const other = changed(at, member, value, isRemoved);
          expect(isEnvelope(other)).toBe(envelopeSchema.safeParse(other).success);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('says the same as the schema of any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(isEnvelope(value)).toBe(envelopeSchema.safeParse(value).success);
        const inner = { ...samples[0], header: value };
        expect(isEnvelope(inner)).toBe(envelopeSchema.safeParse(inner).success);
      }),
    );
  });
});

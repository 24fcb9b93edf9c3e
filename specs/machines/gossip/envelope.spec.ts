import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import {
  canonicalEnvelope,
  canonicalUnsignedHeader,
  checkEnvelope,
  encodedBytesMax,
  expiresAt,
  isAlive,
  isFromFuture,
  refuseUntimely,
} from '../../../machines/gossip/envelope.ts';
import type { Envelope, EnvelopeHeader } from '../../../machines/gossip/envelope.schema.ts';
import {
  BODY_BYTES_MAX,
  ENVELOPE_BYTES_MAX,
  FUTURE_SKEW_MS,
  META_BODY_BYTES_MAX,
  META_ENVELOPE_BYTES_MAX,
  TTL_SECONDS_MAX,
} from '../../../machines/gossip/limits.ts';

const ID = 'a'.repeat(64);
const header: EnvelopeHeader = {
  version: 1,
  mesh_id: 'home',
  message_id: ID,
  sender_id: 'b'.repeat(64),
  recipient_id: '*',
  kind: 'public',
  created_at: 1_800_000_000_000,
  seq: 7,
  ttl_seconds: 60,
  body_sha256: 'c'.repeat(64),
};
const envelope: Envelope = { header, body: 'aGVsbG8=', signature: `${'A'.repeat(86)}==` };
const direct = { kind: 'direct', recipient_id: ID } as const;

const codeFrom = (act: () => unknown): string | undefined => {
  try {
    act();
  } catch (error) {
    return codeOf(error);
  }
  return 'nothing';
};
const changed = (change: Readonly<Record<string, unknown>>): unknown => ({
  ...envelope,
  header: { ...header, ...change },
});

describe('checkEnvelope', () => {
  it('takes every kind with the recipient that it needs', () => {
    expect(checkEnvelope(envelope)).toEqual(envelope);
    for (const kind of ['direct', 'group', 'meta'])
      expect(checkEnvelope(changed({ kind, recipient_id: ID })).header.kind).toBe(kind);
    expect(checkEnvelope(changed({ reply_to: ID })).header.reply_to).toBe(ID);
    expect(checkEnvelope({ ...envelope, body: '' }).body).toBe('');
  });

  it.each([
    ['no object', 7],
    ['null', null],
    ['an array', [envelope]],
    ['an unknown member', { ...envelope, hops: 1 }],
    ['an unknown member of the header', changed({ hops: 1 })],
    ['no header', { body: '', signature: envelope.signature }],
    ['an upper-case id', changed({ message_id: 'A'.repeat(64) })],
    ['a short id', changed({ message_id: 'a'.repeat(63) })],
    ['a mesh that is no name', changed({ mesh_id: 'Home' })],
    ['a mesh of 64 characters', changed({ mesh_id: 'h'.repeat(64) })],
    ['a public message to one', changed({ recipient_id: ID })],
    ['a direct message to all', changed({ kind: 'direct' })],
    ['a fraction of a millisecond', changed({ created_at: 1.5 })],
    ['a moment before the epoch', changed({ created_at: -1 })],
    ['a number beyond the safe ones', changed({ seq: 2 ** 53 })],
    ['a text as a number', changed({ seq: '7' })],
    ['no lifetime', changed({ ttl_seconds: 0 })],
    ['a lifetime beyond the longest', changed({ ttl_seconds: TTL_SECONDS_MAX + 1 })],
    ['a reply to nothing', changed({ reply_to: '' })],
    ['base64 with a line feed', { ...envelope, body: 'aGVs\nbG8=' }],
    ['base64 of the URL alphabet', { ...envelope, body: '_-8=' }],
    ['base64 without padding', { ...envelope, body: 'aGVsbG8' }],
    ['base64 with unused bits', { ...envelope, body: 'aGVsbG9=' }],
    ['a signature of 63 octets', { ...envelope, signature: `${'A'.repeat(84)}=` }],
    ['a signature with unused bits', { ...envelope, signature: `${'A'.repeat(85)}B==` }],
  ])('refuses %s', (_, value) => {
    expect(codeFrom(() => checkEnvelope(value))).toBe('MESH_ERR_ENVELOPE_MALFORMED');
  });

  it.each([
    ['MESH_ERR_ENVELOPE_VERSION', changed({ version: 2, hops: 1 })],
    ['MESH_ERR_ENVELOPE_KIND', changed({ kind: 'secret' })],
    ['MESH_ERR_ENVELOPE_KIND', changed({ kind: 'k'.repeat(100_000) })],
  ])('says with %s that a newer program may know it', (code, value) => {
    expect(codeFrom(() => checkEnvelope(value))).toBe(code);
  });

  it('takes a body of the greatest size and none that is one octet longer', () => {
    const bodyOf = (bytes: number): string => Buffer.alloc(bytes).toString('base64');
    for (const [change, bytesMax] of [
      [direct, BODY_BYTES_MAX],
      [{ kind: 'meta', recipient_id: ID }, META_BODY_BYTES_MAX],
    ] as const) {
      const right = { ...(changed(change) as Envelope), body: bodyOf(bytesMax) };
      expect(checkEnvelope(right).body.length).toBeGreaterThan(bytesMax);
      expect(canonicalEnvelope(right).length).toBeLessThan(encodedBytesMax(change.kind));
      const longer = { ...right, body: bodyOf(bytesMax + 1) };
      expect(codeFrom(() => checkEnvelope(longer))).toMatch(/TOO_LARGE|MALFORMED/);
    }
    expect([encodedBytesMax('group'), encodedBytesMax('meta')]).toEqual([
      ENVELOPE_BYTES_MAX,
      META_ENVELOPE_BYTES_MAX,
    ]);
  });

  it('answers any JSON value with a code', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        expect(codeFrom(() => checkEnvelope(value))).toMatch(/^MESH_ERR_ENVELOPE_/);
        expect(codeFrom(() => checkEnvelope({ ...envelope, header: value }))).toMatch(
          /^MESH_ERR_ENVELOPE_/,
        );
      }),
    );
  });
});

const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
const anyHeader = fc
  .record({
    message_id: hex,
    mesh_id: fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/),
    sender_id: hex,
    created_at: fc.maxSafeNat(),
    seq: fc.maxSafeNat(),
    ttl_seconds: fc.integer({ min: 1, max: TTL_SECONDS_MAX }),
    body_sha256: hex,
    reply: fc.option(hex, { nil: undefined }),
  })
  .map(({ reply, ...rest }) => ({
    ...header,
    ...rest,
    ...(reply === undefined ? {} : { reply_to: reply }),
  }));

describe('canonicalUnsignedHeader, canonicalEnvelope', () => {
  it('are RFC 8785 of what they stand for', () => {
    fc.assert(
      fc.property(anyHeader, fc.base64String(), (some, body) => {
        const { message_id: _, ...unsigned } = some;
        expect(canonicalUnsignedHeader(some)).toBe(canonicalize(unsigned));
        const whole = { ...envelope, header: some, body };
        expect(canonicalEnvelope(whole)).toBe(canonicalize(whole));
      }),
    );
  });
});

describe('the time of an envelope', () => {
  it('ends with its lifetime, to the millisecond', () => {
    const end = expiresAt(header);
    expect(end).toBe(header.created_at + 60_000);
    expect([isAlive(header, end - 1), isAlive(header, end)]).toEqual([true, false]);
  });

  it('may be ahead of ours by what clocks differ', () => {
    const now = header.created_at - FUTURE_SKEW_MS;
    expect([isFromFuture(header, now), isFromFuture(header, now - 1)]).toEqual([false, true]);
  });

  it.each([
    ['nothing', 'home', header.created_at],
    ['MESH_ERR_ENVELOPE_FOREIGN_MESH', 'office', header.created_at],
    ['MESH_ERR_ENVELOPE_EXPIRED', 'home', expiresAt(header)],
    ['MESH_ERR_ENVELOPE_FUTURE', 'home', header.created_at - FUTURE_SKEW_MS - 1],
  ])('gives %s in the mesh %s at %i', (code, mesh, now) => {
    expect(codeFrom(() => refuseUntimely(header, mesh, now))).toBe(code);
  });
});

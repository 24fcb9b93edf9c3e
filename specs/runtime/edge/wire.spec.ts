import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../runtime/edge/limits.ts';
import { BodyReader } from '../../../runtime/edge/wire/body-reader.ts';
import { connectionOptions, NO_OPTIONS } from '../../../runtime/edge/wire/fields.ts';
import { HeadParser } from '../../../runtime/edge/wire/head-parser.ts';
import { cut, readRequests, seeded } from './request-reader.ts';

const latin1 = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const value = fc.stringMatching(/^(?:[!-~\x80-\xff](?:[ \t!-~\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/);
const blank = fc.stringMatching(/^[ \t]{0,3}$/);
const field = fc.tuple(token, blank, value, blank);
/** Names that the edge drops or renews. */
const OWN = [
  /^(?:content-length|transfer-encoding|host|connection|upgrade|expect|te|trailer)$/i,
  /^(?:proxy.*|keep-alive|forwarded|x-forwarded-.*|x-mycelium-edge)$/i,
];

/** What messages are made of, good and bad. */
const PIECES = [
  'GET /app/ HTTP/1.1\r\n',
  'POST /app HTTP/1.1\r\n',
  'Host: a\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'X: y\r\n',
  'abc',
  '3\r\nabc\r\n',
  '3;a=b\r\nabc\r\n',
  '0\r\n\r\n',
  '0\r\nX: y\r\n\r\n',
  '\r\n',
  '\r',
  '\n',
  ':',
  ' ',
  '\t',
  '\0',
];

describe('reading of requests', () => {
  it('finds the fields and the body of any well-formed request, however it is cut', () => {
    const request = fc.record({
      fields: fc.array(field, { maxLength: 8 }),
      body: fc.uint8Array({ maxLength: 200 }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(request, ({ fields, body, seed }) => {
        const others = fields.filter(([name]) => !OWN.some((own) => own.test(name)));
        const lines = others.map(
          ([name, before, text, after]) => `${name}:${before}${text}${after}`,
        );
        const head = ['POST /app/x?y HTTP/1.1', 'Host: a', ...lines];
        const text = `${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n`;
        const bytes = Buffer.concat([Buffer.from(text, 'latin1'), body]);
        const reading = readRequests([bytes]);
        const [first] = reading.requests;
        expect(reading).toMatchObject({ refused: null, isComplete: true });
        expect(first?.body).toBe(Buffer.from(body).toString('latin1'));
        expect(first?.head.lines).toBe(
          others.map(([name, , text]) => `${name}: ${text}\r\n`).join(''),
        );
        expect(readRequests(cut(bytes, 0.4, seeded(seed)))).toEqual(reading);
        expect(readRequests(cut(bytes, 9, seeded(seed)))).toEqual(reading);
      }),
      { numRuns: 300 },
    );
  });

  it('makes the same of arbitrary bytes, whole, byte by byte or cut at random', () => {
    const piece = fc.oneof(fc.constantFrom(...PIECES), latin1(0, 3));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), fc.integer(), (pieces, seed) => {
        const bytes = Buffer.from(pieces.join(''), 'latin1');
        const whole = readRequests([bytes]);
        expect(readRequests(cut(bytes, 0.4, seeded(seed)))).toEqual(whole);
        expect(readRequests(cut(bytes, 5, seeded(seed)))).toEqual(whole);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('HeadParser', () => {
  it('says what it found', () => {
    const found = (text: string): string | undefined => {
      const parser = new HeadParser('request', DEFAULT_LIMITS);
      const bytes = Buffer.from(text, 'latin1');
      parser.push(bytes, 0, bytes.length);
      return parser.refused?.found;
    };
    expect(found('get / HTTP/1.1\r\n')).toMatch(/upper-case/);
    expect(found('GET / HTTP/1.1\r\n X: a\r\n')).toMatch(/white space/);
    expect(found('GET / HTTP/1.1\r\nX : a\r\n')).toMatch(/no token/);
    expect(found('GET / HTTP/1.1\r\nX: a\nb\r\n')).toMatch(/LF without CR/);
    expect(found('GET / HTTP/1.1\r\nX: a\0b\r\n')).toMatch(/control character/);
    expect(found('GET / HTTP/3.0\r\n')).toMatch(/version other/);
    expect(found('GET / HTTP/1.1\r\nX: a\r\n\r\n')).toBeUndefined();
  });

  it('is under way only between a head’s first and last byte', () => {
    const parser = new HeadParser('request', DEFAULT_LIMITS);
    const states: boolean[] = [];
    for (const byte of 'GET / HTTP/1.1\r\n\r\n') {
      parser.push(Buffer.from(byte), 0, 1);
      states.push(parser.isUnderWay);
    }
    expect(states).toEqual([...Array.from({ length: 17 }, () => true), false]);
  });
});

describe('BodyReader', () => {
  const collect = (payloadOnly: boolean, pieces: readonly Buffer[]): [string, BodyReader] => {
    const reader = new BodyReader();
    reader.begin('chunked', 0, payloadOnly);
    let out = '';
    for (const piece of pieces)
      reader.feed(piece, 0, piece.length, {
        span: (bytes, start, end) => {
          out += bytes.toString('latin1', start, end);
        },
      });
    return [out, reader];
  };

  it('hands on chunks of any sizes without extensions and trailers, however they are cut', () => {
    const chunk = fc.tuple(
      latin1(1, 40),
      fc.constantFrom('', ';a', ';a=b', ';a="\\";b"', ';a=b;c="d e"'),
    );
    const trailers = fc.constantFrom('', 'X: y\r\n', 'X: y\r\nZ:\r\n');
    const all = fc.tuple(fc.array(chunk, { maxLength: 5 }), trailers, fc.integer());
    fc.assert(
      fc.property(all, ([chunks, trailer, seed]) => {
        const framed = (extensions: boolean): string =>
          chunks
            .map(([data, ext]) => {
              const size = data.length.toString(16);
              return `${size}${extensions ? ext : ''}\r\n${data}\r\n`;
            })
            .join('');
        const bytes = Buffer.from(`${framed(true)}0\r\n${trailer}\r\n`, 'latin1');
        const payload = chunks.map(([data]) => data).join('');
        for (const mean of [0.4, 3, 1_000]) {
          const pieces = cut(bytes, mean, seeded(seed));
          const [out, reader] = collect(false, pieces);
          expect(reader).toMatchObject({ done: true, failed: null, payloadBytes: payload.length });
          expect(out).toBe(`${framed(false)}0\r\n\r\n`);
          expect(collect(true, pieces)[0]).toBe(payload);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('leaves what follows the body', () => {
    const reader = new BodyReader();
    const bytes = Buffer.from('0\r\n\r\nGET');
    reader.begin('chunked');
    expect(reader.feed(bytes, 0, bytes.length, { span: () => {} })).toBe(5);
    reader.begin('length', 2);
    expect(reader.feed(bytes, 0, bytes.length, { span: () => {} })).toBe(2);
    expect(reader.done).toBe(true);
  });
});

describe('connectionOptions', () => {
  it('gathers options of several fields, in any case', () => {
    const first = connectionOptions('Keep-Alive, X-One', NO_OPTIONS);
    expect(connectionOptions(' UPGRADE ,,close, x-two', first)).toEqual({
      close: true,
      keepAlive: true,
      upgrade: true,
      nominated: ['x-one', 'x-two'],
    });
  });
});

/**
 * The request cases of llhttp, the parser of Node. Whatever it must refuse is refused here too, but
 * for three kinds of "error" that are none in an edge:
 *
 * a. code 22: it pauses after an upgrade request, which is well-formed. The edge goes on: it
 *    forwards the upgrade if that asks for a WebSocket, and drops the Upgrade field otherwise.
 * b. code 5: data after a request that ends its connection. The edge never reads that data.
 * c. A head whose end is missing is refused when it ends: the case is given its empty line.
 *
 * What llhttp accepts is read here too, unless the edge is stricter on purpose:
 *
 * 1. No Host in an HTTP/1.1 request: RFC 9112 §3.2 demands a 400. Such a case must be refused as it
 *    stands and is then judged again with a Host.
 * 2. A fragment in the target: RFC 9112 §3.2 has none; caches and instances cut it differently.
 * 3. Targets that are no path (absolute and asterisk form): apps are found by the path, and an
 *    authority in the target could differ from Host.
 * 4. Transfer codings other than one `chunked`: the edge decodes none, so it cannot vouch for them.
 * 5. RTSP and ICE, HTTP/0.9: other protocols.
 * 6. llhttp's lenient modes: the edge has none. Each of their cases is there because somebody was
 *    attacked through it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Reading } from './request-reader.ts';
import { cut, readRequests, seeded } from './request-reader.ts';

const file = new URL('../../../../shared/vectors/http/llhttp-request-cases.json', import.meta.url);

interface Case {
  readonly file: string;
  readonly title: string;
  readonly meta: { readonly type: string };
  readonly input: string;
  readonly error: { readonly code: number; readonly reason: string } | null;
}

const cases: readonly Case[] = existsSync(file)
  ? (JSON.parse(readFileSync(file, 'utf8')) as { cases: Case[] }).cases
  : [];

/** Undoes the escapes of the vectors: a line end in a block is CR LF, and so on. */
const bytesOf = (input: string): string =>
  input
    .replace(/\n$/, '')
    .replaceAll('\\\n', '')
    .replaceAll('\n', '\r\n')
    .replaceAll('\\r', '\r')
    .replaceAll('\\n', '\n')
    .replaceAll('\\t', '\t')
    .replaceAll('\\f', '\f')
    .replace(/\\x([\da-fA-F]+)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

const read = (text: string): Reading => readRequests([Buffer.from(text, 'utf8')]);

const withHost = (text: string): string =>
  /^host *:/im.test(text) ? text : text.replaceAll(' HTTP/1.1\r\n', ' HTTP/1.1\r\nHost: a\r\n');

const UPGRADE_PAUSE = 22;
const DATA_AFTER_CLOSE = 5;

/** Which numbered rule makes the edge stricter than llhttp in a case, judged by its input alone. */
function stricterBy(one: Case, text: string): number | undefined {
  const [line = ''] = text.split('\r\n').filter((part) => part !== '');
  const target = line.split(' ')[1] ?? '';
  if (one.meta.type.startsWith('request-lenient')) return 6;
  if (/ (?:RTSP|ICE)\/1\.0$/.test(line) || !/ HTTP\//.test(line)) return 5;
  if (target.includes('#')) return 2;
  if (!target.startsWith('/')) return 3;
  return /^transfer-encoding: *(?!chunked *\r)/im.test(text) ? 4 : undefined;
}

const REFUSED = /^MESH_ERR_EDGE_/;

describe.skipIf(cases.length === 0)('request cases of llhttp', () => {
  it('has the published number of cases', () => {
    expect(cases.filter(({ error }) => error !== null)).toHaveLength(72);
    expect(cases.filter(({ error }) => error === null)).toHaveLength(77);
  });

  const named = cases.map((one, index) => ({ ...one, name: `${index}: ${one.title}` }));
  const mustFail = named.filter(({ error }) => error !== null);
  const mustParse = named.filter(({ error }) => error === null);

  it.each(mustFail)('refuses $name', (one) => {
    const text = bytesOf(one.input);
    const reading = read(text);
    if (one.error?.code === UPGRADE_PAUSE && reading.refused === null) {
      expect(reading.requests).toHaveLength(1);
      expect(text).toMatch(/^upgrade:/im);
    } else if (one.error?.code === DATA_AFTER_CLOSE && reading.refused === null) {
      expect(reading.isLast).toBe(true);
      expect(reading.requests).toHaveLength(1);
    } else {
      const ended = reading.refused ?? read(`${text}\r\n`).refused;
      expect(ended).toMatch(REFUSED);
    }
  });

  it.each(mustParse)('reads $name, or says why it is stricter', (one) => {
    const text = bytesOf(one.input);
    if (text !== withHost(text)) {
      const refused = read(text).refused ?? 'MESH_ERR_EDGE_ incomplete';
      expect(refused).toMatch(REFUSED);
    }
    const { refused } = read(withHost(text));
    if (stricterBy(one, text) === undefined) expect(refused).toBeNull();
    else if (refused !== null) expect(refused).toMatch(REFUSED);
  });

  it('reads every case the same in one piece, byte by byte and cut at random', () => {
    const fraction = seeded(20_261_121);
    for (const one of cases)
      for (const text of [bytesOf(one.input), withHost(bytesOf(one.input))]) {
        const bytes = Buffer.from(text, 'utf8');
        const whole = readRequests([bytes]);
        expect(readRequests(cut(bytes, 0.4, fraction)), one.title).toEqual(whole);
        expect(readRequests(cut(bytes, 7, fraction)), one.title).toEqual(whole);
      }
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import { parseStrictJson, parseStrictJsonBytes } from '../../../machines/workload/strict-json.ts';

function failure(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('parseStrictJson', () => {
  it.each([
    ['null', null],
    ['true', true],
    ['false', false],
    ['0', 0],
    ['-7', -7],
    ['9007199254740991', 9_007_199_254_740_991],
    ['""', ''],
    [String.raw`"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"`, '"\\/\b\f\n\r\té😀'],
    ['[]', []],
    [' [ 1 , [ ] , {} ] ', [1, [], {}]],
    ['{"a":1,"b":{"c":[true]}}', { a: 1, b: { c: [true] } }],
    ['{"constructor":1,"toString":2}', { constructor: 1, toString: 2 }],
  ])('reads %s', (text, value) => {
    expect(parseStrictJson(text)).toEqual(value);
  });

  it.each([
    ['a byte order mark', '\u{feff}{}'],
    ['a duplicate key', '{"a":1,"a":1}'],
    ['a duplicate key in another spelling', String.raw`{"a":1,"\u0061":2}`],
    ['the key __proto__', '{"__proto__":1}'],
    ['a fraction', '1.0'],
    ['an exponent', '1e3'],
    ['a negative zero', '-0'],
    ['an unsafe integer', '9007199254740992'],
    ['a leading zero', '01'],
    ['a leading plus', '+1'],
    ['NaN', 'NaN'],
    ['a lone high surrogate', String.raw`"\ud800"`],
    ['a lone low surrogate', String.raw`"\udc00"`],
    ['a lone surrogate as key', String.raw`{"\ud800":1}`],
    ['a raw control character', '"\n"'],
    ['an unknown escape', String.raw`"\x41"`],
    ['an inherited name as escape', String.raw`"\constructor"`],
    ['a short \\u', String.raw`"\u00e"`],
    ['more than 32 levels', nested(33)],
    ['a trailing comma', '[1,]'],
    ['a trailing comma in an object', '{"a":1,}'],
    ['a key without quotes', '{a:1}'],
    ['single quotes', "{'a':1}"],
    ['a comment', '{} // x'],
    ['two values', '1 2'],
    ['white space that JSON does not know', '\u{a0}1'],
    ['nothing', ''],
    ['an open string', '"a'],
    ['an open object', '{"a":1'],
    ['an open array', '[1'],
    ['a broken literal', 'trux'],
  ])('refuses %s', (_, text) => {
    expect(codeOf(failure(() => parseStrictJson(text)))).toBe('MESH_ERR_SPORE_JSON');
  });

  it('takes 32 levels', () => {
    expect(JSON.stringify(parseStrictJson(nested(32)))).toBe(nested(32));
  });

  it('names line and column of the fault', () => {
    expect(failure(() => parseStrictJson('{\n  "a": 1.5\n}'))).toMatchObject({
      message: 'Reading JSON at line 2, column 8: 1.5 is not a safe integer.',
      details: { line: 2, column: 8 },
    });
  });

  it('gives what JSON.parse gives, whenever it gives anything', () => {
    const json = fc.oneof(fc.json(), fc.string(), fc.json().map(spoil));
    fc.assert(
      fc.property(json, (text) => {
        const error = failure(() => {
          expect(parseStrictJson(text)).toEqual(JSON.parse(text));
        });
        if (error !== undefined) expect(codeOf(error)).toBe('MESH_ERR_SPORE_JSON');
      }),
      { numRuns: 2000 },
    );
  });
});

describe('parseStrictJsonBytes', () => {
  it('refuses bytes that are not UTF-8', () => {
    const error = failure(() => parseStrictJsonBytes(Uint8Array.of(0x22, 0xff, 0x22)));
    expect(codeOf(error)).toBe('MESH_ERR_SPORE_JSON');
  });

  it('refuses a byte order mark', () => {
    const error = failure(() => parseStrictJsonBytes(Uint8Array.of(0xef, 0xbb, 0xbf, 0x31)));
    expect(codeOf(error)).toBe('MESH_ERR_SPORE_JSON');
  });
});

/** Leaves out the character in the middle. */
function spoil(text: string): string {
  const middle = Math.floor(text.length / 2);
  return text.slice(0, middle) + text.slice(middle + 1);
}

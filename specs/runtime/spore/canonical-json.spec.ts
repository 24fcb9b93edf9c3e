import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { canonicalJson, canonicalJsonBytes } from '../../../runtime/spore/canonical-json.ts';

const VECTORS = new URL('../../../../shared/vectors/jcs/', import.meta.url);
const isHere = existsSync(VECTORS);

describe('canonicalJson', () => {
  it('sorts keys by UTF-16 code units and leaves out white space (RFC 8785 §3.2.3)', () => {
    expect(canonicalJson({ é: 1, b: [1, { d: 2, c: 3 }], a: 'x' })).toBe(
      '{"a":"x","b":[1,{"c":3,"d":2}],"é":1}',
    );
  });

  it('refuses what JSON cannot say', () => {
    expect(() => canonicalJson(undefined)).toThrow(TypeError);
    expect(() => canonicalJson({ a: Number.NaN })).toThrow(/NaN/);
    expect(() => canonicalJson('\ud800')).toThrow(/surrogate/i);
  });

  describe.skipIf(!isHere)('with the vectors of RFC 8785', () => {
    const names = isHere ? readdirSync(new URL('input/', VECTORS)) : [];

    it.each(names)('%s', (name) => {
      const input: unknown = JSON.parse(readFileSync(new URL(`input/${name}`, VECTORS), 'utf8'));
      const hex = readFileSync(new URL(`outhex/${name.replace('.json', '.txt')}`, VECTORS), 'utf8');
      const bytes = Buffer.from(canonicalJsonBytes(input));
      expect(bytes.toString('hex')).toBe(hex.replace(/\s/g, ''));
      expect(bytes.toString()).toBe(readFileSync(new URL(`output/${name}`, VECTORS), 'utf8'));
    });
  });
});

/** The style of the house as a table of rules. Each row also proves that it can fail. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { houseOf, loadHouse } from './support/tidy/house.ts';
import { IMPORT_RULES } from './support/tidy/import-rules.ts';
import { NAME_RULES } from './support/tidy/name-rules.ts';
import { PROOF_RULES } from './support/tidy/proof-rules.ts';
import { formatViolation } from './support/tidy/rule.ts';
import type { Rule } from './support/tidy/rule.ts';
import { SHAPE_RULES } from './support/tidy/shape-rules.ts';
import { SIZE_RULES } from './support/tidy/size-rules.ts';
import { WORD_RULES } from './support/tidy/word-rules.ts';
import { WORLD_RULES } from './support/tidy/world-rules.ts';

const RULES: readonly Rule[] = [
  ...NAME_RULES,
  ...IMPORT_RULES,
  ...WORLD_RULES,
  ...SIZE_RULES,
  ...SHAPE_RULES,
  ...WORD_RULES,
  ...PROOF_RULES,
];

const house = await loadHouse(fileURLToPath(new URL('..', import.meta.url)));
const placesOf = (rule: Rule, files: Readonly<Record<string, string>>): string[] =>
  rule.check(houseOf(files)).map(({ path, line }) => (line === 0 ? path : `${path}:${line}`));

describe.each(RULES)('tidy: $name', (rule) => {
  it('holds in the whole project', () => {
    const found = rule.check(house).map(formatViolation);
    if (found.length > 0) expect.fail([rule.name, rule.reason, ...found].join('\n  '));
  });

  it.each(rule.planted)('reports a planted violation at $at', ({ files, at }) => {
    expect(placesOf(rule, files)).toEqual([at]);
  });

  it('leaves a house in order alone', () => {
    expect(placesOf(rule, rule.clean)).toEqual([]);
  });
});

describe('loadHouse', () => {
  it('sees sources of all five folders and none of installed packages', () => {
    const folders = new Set(house.files.map(({ path }) => path.replace(/\/.*$/, '/')));
    const missing = ['machines/', 'supervisor/', 'actors/', 'runtime/', 'specs/'].filter(
      (folder) => !folders.has(folder),
    );
    expect(missing).toEqual([]);
    expect(house.files.some(({ path }) => path.includes('node_modules'))).toBe(false);
  });
});

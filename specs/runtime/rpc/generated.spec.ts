import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { scratch } from '../../support/scratch.ts';
import { programOnPath } from '../../benches/harness.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const generated = path('runtime/rpc/generated');
const textsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`, 'utf8')]),
  );

describe('runtime/rpc/generated', () => {
  it('has a file for each contract, and no other', () => {
    const stems = (names: string[]): string[] => names.map((name) => name.replace(/\.\w+$/, ''));
    expect(stems(readdirSync(generated))).toEqual(stems(readdirSync(path('runtime/rpc/proto'))));
  });

  it.skipIf(programOnPath('protoc') === undefined)('is what the contracts give', () => {
    using folder = scratch();
    execFileSync(process.execPath, [path('.ci/protos.mjs'), folder.path], { stdio: 'ignore' });
    expect(textsOf(folder.path)).toEqual(textsOf(generated));
  });
});

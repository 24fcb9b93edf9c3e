import { describe, expect, it } from 'vitest';
import { isTrustedBy, policyObjections } from '../../../machines/workload/spore-rules.ts';
import type { SporePolicy } from '../../../machines/workload/spore-rules.ts';
import { BINARY, SOURCE, keyOf, manifestFor, trusting } from '../../support/spore-kit.ts';

const key = keyOf(1);
const hex = Buffer.from(key.publicKey).toString('hex');

describe('isTrustedBy', () => {
  it('trusts nobody without an entry', () => {
    expect(isTrustedBy([], hex, 'hello')).toBe(false);
    expect(isTrustedBy([trusting(keyOf(2))], hex, 'hello')).toBe(false);
  });

  it('trusts a key for all apps, or for the one that is named', () => {
    expect(isTrustedBy([trusting(key)], hex, 'hello')).toBe(true);
    expect(isTrustedBy([trusting(key, 'hello')], hex, 'hello')).toBe(true);
    expect(isTrustedBy([trusting(key, 'other')], hex, 'hello')).toBe(false);
  });
});

describe('policyObjections', () => {
  const asking = (change: object) => manifestFor(BINARY, key, { ...SOURCE, ...change });
  const node = { command: 'node', args: ['{binary}'] };

  it.each<[string, object, SporePolicy, number]>([
    ['nothing unusual', {}, {}, 0],
    ['CPU within the limit', { nutrients: { cpu_milli: 500 } }, { cpuMilliMax: 500 }, 0],
    ['CPU above the limit', { nutrients: { cpu_milli: 501 } }, { cpuMilliMax: 500 }, 1],
    ['memory above the limit', { nutrients: { memory_mb: 65 } }, { memoryMbMax: 64 }, 1],
    ['a binary above the limit', {}, { binaryBytesMax: 10 }, 1],
    ['a program, where any may run', { runtime: node }, {}, 0],
    ['a program that may run', { runtime: node }, { commands: ['node'] }, 0],
    ['a program that may not', { runtime: node }, { commands: ['python3'] }, 1],
    ['the binary itself, where no program may run', {}, { commands: [] }, 0],
    ['a profile that nobody enforces', { security: { lsm_profile: 'p' } }, {}, 1],
    ['a profile that is enforced', { security: { lsm_profile: 'p' } }, { lsmProfiles: ['p'] }, 0],
    ['a read-only file system', { security: { read_only_fs: true } }, {}, 1],
    ['one that is given', { security: { read_only_fs: true } }, { readOnlyFs: true }, 0],
  ])('judges %s', (_, change, policy, objections) => {
    expect(policyObjections(asking(change), policy)).toHaveLength(objections);
  });

  it('says every objection', () => {
    const manifest = asking({ security: { lsm_profile: 'p', read_only_fs: true } });
    expect(policyObjections(manifest, {})).toEqual([
      'security.lsm_profile "p" is not enforced here',
      'security.read_only_fs is not enforced here',
    ]);
  });
});

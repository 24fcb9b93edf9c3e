import { describe, expect, it } from 'vitest';
import {
  parseManifestSource,
  parseSporeManifest,
} from '../../../machines/workload/manifest.schema.ts';
import { BINARY, keyOf, manifestFor } from '../../support/spore-kit.ts';

const built = manifestFor(BINARY, keyOf(1));

describe('parseManifestSource', () => {
  it('fills in every default', () => {
    expect(parseManifestSource({ name: 'hello', version: '1.0.0' })).toEqual({
      kind: 'Spore',
      name: 'hello',
      version: '1.0.0',
      runtime: { command: '{binary}', args: [], env: {} },
      health: {
        path: '/health',
        startTimeoutMs: 6000,
        intervalMs: 1000,
        failuresMax: 3,
        warmupMs: 200,
      },
      drainTimeoutMs: 10_000,
      provides: [],
      nutrients: { cpu_milli: 100, memory_mb: 64 },
      security: { lsm_profile: '', read_only_fs: false },
    });
  });

  it('keeps what the user wrote', () => {
    const source = {
      kind: 'Spore' as const,
      name: 'a',
      version: '1.2.3-rc.1+build.5',
      runtime: { command: 'node', args: ['{binary}', '--port=1'], env: { GREETING: 'hi' } },
      health: { path: '/', startTimeoutMs: 1, intervalMs: 10, failuresMax: 1, warmupMs: 0 },
      drainTimeoutMs: 0,
      provides: ['http', 'greeting/v1'],
      nutrients: { cpu_milli: 1, memory_mb: 1 },
      slo: { p99_budget_ms: 20 },
      identity: 'required' as const,
      serve: { tls: 'mesh' as const },
      security: { lsm_profile: 'strict', read_only_fs: true },
    };
    expect(parseManifestSource(source)).toEqual(source);
  });

  it.each([
    ['an unknown field', { extra: 1 }, 'the manifest'],
    ['an unknown field inside', { health: { pth: '/' } }, 'health'],
    ['another kind', { kind: 'Pod' }, 'kind'],
    ['a name with a capital', { name: 'Hello' }, 'name'],
    ['a name of 64 characters', { name: 'a'.repeat(64) }, 'name'],
    ['a name that is a path', { name: '../x' }, 'name'],
    ['a version that is none', { version: '1.0' }, 'version'],
    ['a version with leading zeros', { version: '01.0.0' }, 'version'],
    ['a command that is a path', { runtime: { command: '/bin/sh' } }, 'runtime.command'],
    ['a command that is an option', { runtime: { command: '-x' } }, 'runtime.command'],
    ['a program that never gets the binary', { runtime: { command: 'node' } }, 'runtime'],
    ['NUL in an argument', { runtime: { args: ['\0'] } }, 'runtime.args.0'],
    ['too many arguments', { runtime: { args: Array(65).fill('') } }, 'runtime.args'],
    ['an odd variable', { runtime: { env: { 'A=B': '' } } }, 'runtime.env.A=B'],
    ['PORT, which the mesh sets', { runtime: { env: { PORT: '1' } } }, 'runtime.env.PORT'],
    ['MESH_ variables', { runtime: { env: { MESH_NODE: '' } } }, 'runtime.env.MESH_NODE'],
    ['a relative health path', { health: { path: 'health' } }, 'health.path'],
    ['a health path with a line break', { health: { path: '/\r\nX: 1' } }, 'health.path'],
    ['a health path with a fragment', { health: { path: '/#a' } }, 'health.path'],
    ['a time of zero', { health: { startTimeoutMs: 0 } }, 'health.startTimeoutMs'],
    ['a fraction', { drainTimeoutMs: 0.5 }, 'drainTimeoutMs'],
    ['a negative time', { drainTimeoutMs: -1 }, 'drainTimeoutMs'],
    ['a capability twice', { provides: ['a', 'a'] }, 'provides'],
    ['no memory', { nutrients: { memory_mb: 0 } }, 'nutrients.memory_mb'],
    ['integrity, which packing adds', { integrity: built.integrity }, 'the manifest'],
    ['another identity', { identity: 'perhaps' }, 'identity'],
    ['TLS of another kind', { identity: 'required', serve: { tls: 'own' } }, 'serve.tls'],
    ['TLS with no certificate for it', { serve: { tls: 'mesh' } }, 'identity'],
    ['TLS that may lack one', { identity: 'optional', serve: { tls: 'mesh' } }, 'identity'],
    ['a profile with a space', { security: { lsm_profile: 'a b' } }, 'security.lsm_profile'],
  ])('refuses %s', (_, change, place) => {
    const source = { name: 'hello', version: '1.0.0', ...change };
    expect(() => parseManifestSource(source)).toThrow(
      expect.objectContaining({
        code: 'MESH_ERR_SPORE_MANIFEST',
        message: expect.stringContaining(`: ${place}: `) as string,
      }),
    );
  });

  it('names every finding at once', () => {
    expect(() => parseManifestSource({ name: 'X', version: 'y' })).toThrow(/name: .*; version: /);
  });
});

describe('parseSporeManifest', () => {
  it('takes a built manifest as it is', () => {
    expect(parseSporeManifest(built)).toEqual(built);
  });

  it('holds what is packed to the same rule of certificates', () => {
    const serve = { tls: 'mesh' };
    expect(() => parseSporeManifest({ ...built, serve })).toThrow('identity: has to be "required"');
    const certified = { ...built, identity: 'required', serve };
    expect(parseSporeManifest(certified)).toEqual(certified);
  });

  it('fills in nothing: a field that is missing was not signed', () => {
    for (const field of Object.keys(built)) {
      const { [field]: _, ...rest } = built as unknown as Record<string, unknown>;
      expect(() => parseSporeManifest(rest), field).toThrow(/MANIFEST|packed manifest/);
    }
  });

  it.each([
    ['binary_sha256', 'A'.repeat(64)],
    ['binary_size', 0],
    ['binary_size', 2 ** 32],
    ['created_at', '2026-02-30T00:00:00Z'],
    ['created_at', '2026-01-01T00:00:00.000Z'],
    ['created_at', '2026-01-01T00:00:00+00:00'],
    ['public_key', `${'A'.repeat(42)}B=`],
    ['signature', `${'A'.repeat(85)}B==`],
    ['signature', 'A'.repeat(88)],
  ])('refuses integrity.%s %s', (field, value) => {
    const integrity = { ...built.integrity, [field]: value };
    expect(() => parseSporeManifest({ ...built, integrity })).toThrow(`integrity.${field}: `);
  });
});

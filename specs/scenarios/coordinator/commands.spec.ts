/** The life of a Coordinator as its owners type it: what each command says, and how it ends. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CoordinatorProcess } from '../../support/coordinator/coordinator-process.ts';
import { mesh } from '../../support/mesh/command.ts';
import { scratch } from '../../support/scratch.ts';

type Json = Record<string, unknown>;

/** A folder that `init` made, and its Coordinator, not yet started. */
function world() {
  const folder = scratch();
  const at = join(folder.path, '.mesh', 'coordinator');
  const server = new CoordinatorProcess('c', at, '', folder.path);
  const call = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await mesh(args, { cwd: folder.path });
    return { exitCode, stdout, stderr };
  };
  const json = async (...args: string[]) => {
    const { exitCode, stdout } = await call(...args, '--json');
    return { exitCode, ...(JSON.parse(stdout) as Json) } as Json;
  };
  return {
    at,
    server,
    call,
    json,
    [Symbol.asyncDispose]: async () => {
      await server.end('SIGKILL');
      folder[Symbol.dispose]();
    },
  };
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('mesh coordinator', () => {
  it('goes from an empty folder to a second manifest, each step as its help says', async () => {
    await using one = world();
    const { at, server, call, json } = one;
    const init = await json('coordinator', 'init', '--listen', '127.0.0.1:0');
    expect(init).toMatchObject({ exitCode: 0, folder: at, manifest: join(at, 'manifest.json') });
    for (const name of ['node', 'workload-owner', 'seed-share-owner'])
      expect(modeOf(join(at, 'keys', `${name}.key`))).toBe(0o600);
    await server.start();
    expect(server.text).toContain(`Its node key: ${String(init['nodeKey'])}`);
    expect(await json('coordinator', 'start')).toMatchObject({
      exitCode: 6,
      error: { code: 'MESH_ERR_CONTROL_ALREADY_RUNNING' },
    });
    const set = await json('coordinator', 'set-manifest', join(at, 'manifest.json'));
    expect(set).toMatchObject({ exitCode: 0, generation: 1 });
    const [share] = set['shares'] as { path: string }[];
    expect(modeOf(share?.path ?? '')).toBe(0o600);
    await server.says('ready: generation 1');
    const verified = await call('coordinator', 'verify');
    expect(verified.stdout.split('\n').slice(0, 5)).toEqual(
      ['evidence', 'history', 'manifest', 'authority', 'root'].map((name) => `ok    ${name}`),
    );
    const shown = await json('cert', 'show', join(at, 'verified', 'root-ca.pem'));
    expect(shown).toMatchObject({ 0: { kind: 'root', isValidNow: true, isSignedByNext: true } });
    const [transition, nodeKey] = [set['transition'], init['nodeKey']].map(String) as [
      string,
      string,
    ];
    await next(one, { transition, nodeKey });
  });
});

/** The second manifest: refused without the first one's transition, then set, then seen. */
async function next(
  { at, json, call }: ReturnType<typeof world>,
  { transition, nodeKey }: { readonly transition: string; readonly nodeKey: string },
) {
  const file = join(at, 'next.json');
  const text = readFileSync(join(at, 'manifest.json'), 'utf8').replace('mesh.local', 'next.local');
  writeFileSync(file, text);
  expect(await json('coordinator', 'set-manifest', file)).toMatchObject({
    exitCode: 6,
    error: {
      code: 'MESH_ERR_COORDINATOR_MANIFEST_CONFLICT',
      message: expect.stringContaining(transition),
    },
  });
  const stranger = join(at, 'stranger.json');
  writeFileSync(stranger, text.replaceAll(nodeKey, 'ab'.repeat(32)));
  // It is not given to a Coordinator that it does not name.
  expect(
    await json('coordinator', 'set-manifest', stranger, '--previous', transition),
  ).toMatchObject({ exitCode: 4, error: { code: 'MESH_ERR_ATTEST_UNKNOWN_KEY' } });
  const set = await json('coordinator', 'set-manifest', file, '--previous', transition);
  expect(set).toMatchObject({ exitCode: 0, generation: 2, shares: [] });
  const status = await json('coordinator', 'status');
  expect(status).toMatchObject({
    exitCode: 0,
    state: 'ready',
    reason: null,
    generation: 2,
    transition: set['transition'],
    lastRecoveryFailure: null,
    policies: [
      { role: 'coordinator', spiffeId: 'spiffe://next.local/coordinator/coordinator' },
      { role: 'edge', spiffeId: 'spiffe://next.local/edge/edge' },
    ],
    policyCount: 2,
  });
  const printed = await call('coordinator', 'status');
  expect(printed.stdout).toMatch(
    /^POLICY +ROLE +SPIFFE ID +IDENTITY\n *coordinator +coordinator +spiffe:\/\/next/m,
  );
  const outdated = await json('coordinator', 'verify');
  expect(outdated).toMatchObject({
    exitCode: 4,
    error: {
      code: 'MESH_ERR_CLI_VERIFICATION_FAILED',
      message: 'Verifying the Coordinator: manifest failed.',
    },
  });
  const { stdout } = await call('coordinator', 'verify', '--manifest', file);
  expect(stdout).toContain('ok    root');
}

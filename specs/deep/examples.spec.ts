/** Each example is a whole program: it is run as a reader of the README runs it, and must say so. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { blocksOf } from '../support/docs/markdown.ts';
import { matchesOutput } from '../support/docs/transcript.ts';
import { scratch } from '../support/scratch.ts';
import type { Scratch } from '../support/scratch.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const DEADLINE_MS = 60_000;

interface Example {
  /** What it prints; `…` stands for what differs from run to run. */
  readonly says: string;
  /** Makes what the README has made by then. */
  prepare?(folder: Scratch): Promise<void>;
}

/** The files of the README's own service, packed and trusted in `.mesh`. */
async function buildSpore(folder: Scratch): Promise<void> {
  for (const { path, text } of blocksOf(readFileSync(`${root}README.md`, 'utf8')))
    if (path === 'hello.mjs' || path === 'manifest.json') writeFileSync(folder.file(path), text);
  const mesh = (...args: string[]) =>
    execa(process.execPath, [`${root}runtime/cli/main.ts`, ...args], {
      cwd: folder.path,
      timeout: DEADLINE_MS,
    });
  await mesh('keygen', 'me');
  await mesh('trust', 'add', 'me.pub');
  await mesh('build', '-m', 'manifest.json', 'hello.mjs', '--key', 'me.key', '-o', 'hello-1.spore');
}

const EXAMPLES: Readonly<Record<string, Example>> = {
  'start-mesh.ts': {
    says: '…\nsucceeded: 2 of 2 serve\nhello from node-…, version 1.0.0',
    prepare: buildSpore,
  },
  'look-inside.ts': {
    says: 'Open http://127.0.0.1:…/?token=…\nThe crossing ended: shutdown',
  },
  'pool-with-backoff.ts': {
    says:
      'east not started: max_children\n' +
      'printers/north failed 1 time(s), back in 20 ms\nprinted two\n' +
      'printers/north failed 2 time(s), back in 40 ms\nprinted one',
  },
  'escalation.ts': {
    says:
      'crash shop/payments/gateway\n…\nrestart shop/payments/gateway\n' +
      'crash shop/payments/gateway\nintensity shop/payments\nshutdown shop/payments/session\n' +
      'escalation shop/payments to shop\n…\nrestart shop/payments\n' +
      'ledger is in its incarnation 1\npayments is in its incarnation 2',
  },
  'thread-placed.ts': {
    says:
      '78498 primes found, and this thread was free meanwhile\n' +
      'MESH_ERR_SUPERVISOR_THREAD_BLOCKED\nin its incarnation 2',
  },
  'mesh-certificate.ts': {
    says:
      'DNS:hello.mesh.local, URI:spiffe://mesh.local/workload/hello true\n' +
      'CN=Mycelium Mesh Root CA',
  },
  'model-test-of-your-machine.ts': {
    says:
      'ok  locked: coin → open\nok  open: coin → open\nok  open: push → locked\n' +
      'not covered: open: audit',
  },
  'counter-that-survives.ts': {
    says: 'run 1: 2, the bonus counted (SIGKILL)\nrun 2: 3 (SIGKILL)\nrun 3: 4 (SIGKILL)',
  },
  'public-messages.ts': {
    says: 'alice: done, 1 received\nalice: the door is open (verified)',
  },
  'start-tree.ts': {
    says: 'house/door crashed: error\nhouse/door is closed again, restarts: 1',
  },
};

describe('examples', () => {
  it('are all executed', () => {
    const found = readdirSync(`${root}specs/examples`).filter((name) => name.endsWith('.ts'));
    expect(found.toSorted()).toEqual(Object.keys(EXAMPLES).toSorted());
  });

  it.each(Object.entries(EXAMPLES))('%s says what it promises', async (name, example) => {
    using folder = scratch();
    await example.prepare?.(folder);
    const result = await execa(process.execPath, [`${root}specs/examples/${name}`], {
      cwd: folder.path,
      reject: false,
      timeout: DEADLINE_MS,
    });
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
    expect(matchesOutput(example.says, result.stdout), result.stdout).toBe(true);
  });
});

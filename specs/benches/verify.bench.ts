/** Ed25519 verification by the worker pool, against `openssl speed ed25519` on as many cores. */
import { execFile } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import type { SignatureCheck, WorkerPool } from '../../actors/pool/ports.ts';
import { createWorkerPool } from '../../runtime/adapters/worker-pool.piscina.ts';
import { cpuSecondsOf, missing, programOnPath, secondsOf } from './harness.ts';
import type { BenchPlan, Measure, Missing } from './harness.ts';

/** A peer's backlog: different messages under a few hundred keys. */
const CHECKS = 40_000;
const KEYS = 256;
const MESSAGE_BYTES = 200;

const run = promisify(execFile);

export function bench(): BenchPlan {
  const cores = availableParallelism();
  const checks = makeChecks();
  const pools = { all: createWorkerPool(), one: createWorkerPool({ threads: 1 }) };
  return {
    rows: [
      {
        metric: `Ed25519 verifications on ${cores} cores, one call`,
        unit: '1/s',
        better: 'more',
        ours: () => oneCall(pools.all, checks),
        peers: { 'openssl speed': openssl(cores) },
      },
      {
        metric: `Ed25519 verifications on ${cores} cores, calls of 10`,
        unit: '1/s',
        better: 'more',
        ours: () => smallCalls(pools.all, checks),
        peers: { 'openssl speed': openssl(cores) },
      },
      {
        metric: 'Ed25519 verifications on one thread, one call',
        unit: '1/s',
        better: 'more',
        ours: () => oneCall(pools.one, checks),
        peers: { 'openssl speed': openssl(1) },
      },
      {
        metric: 'Ed25519 verifications per CPU second, main thread included',
        unit: '1/s',
        better: 'more',
        ours: () => perCpuSecond(pools.all, checks),
        peers: { 'openssl speed': openssl(1, []) },
      },
    ],
    dispose: async () => {
      await pools.all.close();
      await pools.one.close();
    },
  };
}

function makeChecks(): SignatureCheck[] {
  const pairs = Array.from({ length: KEYS }, () => generateKeyPairSync('ed25519'));
  const signers = pairs.map(({ privateKey, publicKey }) => ({
    privateKey,
    publicKey: Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'),
  }));
  return Array.from({ length: CHECKS }, (_, index) => {
    const signer = signers[index % KEYS];
    if (signer === undefined) throw new Error('There is a signer for each index.');
    const message = Buffer.alloc(MESSAGE_BYTES, `message ${index} `);
    const { publicKey } = signer;
    return { publicKey, message, signature: sign(null, message, signer.privateKey) };
  });
}

async function oneCall(pool: WorkerPool, checks: readonly SignatureCheck[]): Promise<number> {
  return (
    checks.length / (await secondsOf(async () => allValid([await pool.verifySignatures(checks)])))
  );
}

async function smallCalls(pool: WorkerPool, checks: readonly SignatureCheck[]): Promise<number> {
  const seconds = await secondsOf(async () => {
    const calls: Promise<boolean[]>[] = [];
    for (let from = 0; from < checks.length; from += 10)
      calls.push(pool.verifySignatures(checks.slice(from, from + 10)));
    allValid(await Promise.all(calls));
  });
  return checks.length / seconds;
}

function allValid(verdicts: boolean[][]): void {
  if (!verdicts.flat().every(Boolean)) throw new Error('A valid signature was rejected.');
}

async function perCpuSecond(pool: WorkerPool, checks: readonly SignatureCheck[]): Promise<number> {
  const from = cpuSecondsOf(process.pid);
  allValid([await pool.verifySignatures(checks)]);
  return checks.length / (cpuSecondsOf(process.pid) - from);
}

/** Without `-elapsed`, openssl divides by the CPU time it used. */
function openssl(processes: number, clock: readonly string[] = ['-elapsed']): Measure | Missing {
  if (programOnPath('openssl') === undefined) return missing('openssl is not installed');
  return async () => {
    const multi = processes > 1 ? ['-multi', `${processes}`] : [];
    const { stdout } = await run('openssl', [
      'speed',
      ...multi,
      ...clock,
      '-seconds',
      '1',
      'ed25519',
    ]);
    const verified = /([\d.]+)\s*$/.exec(stdout.trim())?.[1];
    if (verified === undefined) throw new Error(`openssl speed printed no rate:\n${stdout}`);
    return Number(verified);
  };
}

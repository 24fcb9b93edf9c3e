import { describe, expect, it } from 'vitest';
import {
  OPTIONAL_WAIT_MS,
  REQUIRED_WAIT_MS,
  certifiedAppOf,
  createInstanceCertificates,
} from '../../../actors/workload/certificate-keeper.ts';
import { certificatePath } from '../../../actors/workload/paths.ts';
import type { Certificates } from '../../../actors/workload/ports/certificates.ts';
import { codeOf } from '../../../machines/kernel/coded-error.ts';
import type { HeldCertificate } from '../../../machines/workload/certificate-rules.ts';
import { DEFAULT_SETTINGS } from '../../../machines/workload/instance-rules.ts';
import type { LaunchSettings } from '../../../machines/workload/instance-rules.ts';
import { createLateTree } from '../../../runtime/late-tree.ts';
import { createTree } from '../../../supervisor/index.ts';
import { HELD, REFUSED, UNAVAILABLE } from '../../support/model/certificate-model.ts';
import { seededRandom } from '../../support/supervised.ts';
import { VirtualClock, settle } from '../../support/virtual-clock.ts';
import { instanceRecord } from '../../support/workload-samples.ts';

const RECORD = instanceRecord();
const PATH = certificatePath(RECORD.node, RECORD.instance);
const FILES = { MESH_CERT_FILE: '/i/cert.pem', MESH_KEY_FILE: '/i/key.pem' };
const REQUIRED: LaunchSettings = { ...DEFAULT_SETTINGS, identity: 'required' };
const OPTIONAL: LaunchSettings = { ...DEFAULT_SETTINGS, identity: 'optional' };
const going = new AbortController().signal;

/** Of an hour, from whatever the time is. */
const held = (nowMs: number): HeldCertificate => ({
  ...HELD,
  issuedAtMs: nowMs,
  notAfterMs: nowMs + HELD.notAfterMs,
});

/** A node of a tree, and a Coordinator that answers as it is told. */
async function world(
  obtain: (nowMs: number) => ReturnType<Certificates['obtain']>,
  isWriting = false,
) {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const notices: string[] = [];
  const writing = Promise.withResolvers<void>();
  if (!isWriting) writing.resolve();
  const { supervision, fill } = createLateTree();
  const tree = createTree(
    {
      id: 'mesh',
      type: 'supervisor',
      children: [
        {
          id: 'agents',
          type: 'supervisor',
          children: [
            {
              id: RECORD.node,
              type: 'supervisor',
              children: [{ id: '@certificates', type: 'supervisor' }],
            },
          ],
        },
      ],
    },
    { clock, random },
  );
  fill(tree);
  await tree.start();
  const keeper = createInstanceCertificates({
    tree: supervision,
    clock,
    random,
    notice: (about, error) => notices.push(`${about}: ${String(error)}`),
    certificates: {
      read: () => Promise.resolve(null),
      obtain: () => obtain(clock.now()),
      settled: () => writing.promise,
      environment: () => Promise.resolve(FILES),
    },
  });
  /** Lets time pass until it has an outcome. */
  const outcome = async (promise: Promise<unknown>, forMs = 0): Promise<unknown> => {
    const settled = promise.then(
      (value) => value,
      (error: unknown) => codeOf(error),
    );
    for (let ms = 0; ms <= forMs; ms += 100) {
      await settle();
      await clock.advance(100);
    }
    return settled;
  };
  return {
    clock,
    tree,
    keeper,
    notices,
    outcome,
    finishWriting: writing.resolve,
    [Symbol.asyncDispose]: async () => {
      await tree.stop();
    },
  };
}

describe('createInstanceCertificates', () => {
  it('tells a process where its files are, once they are there', async () => {
    await using at = await world((nowMs) => Promise.resolve(held(nowMs)));
    expect(await at.outcome(at.keeper.certify(RECORD, REQUIRED, going))).toEqual(FILES);
    expect(at.tree.snapshotOf(PATH)).toMatchObject({ value: { held: 'fresh' } });
    await at.keeper.release(RECORD);
    expect(at.tree.snapshotOf(PATH)).toBeUndefined();
    await at.keeper.release(RECORD);
  });

  it('lets go of an instance only when nothing is written for it any more', async () => {
    await using at = await world((nowMs) => Promise.resolve(held(nowMs)), true);
    await at.outcome(at.keeper.certify(RECORD, REQUIRED, going));
    let isReleased = false;
    const released = at.keeper.release(RECORD).then(() => (isReleased = true));
    await settle();
    expect(isReleased).toBe(false);
    at.finishWriting();
    await released;
  });

  it('does not start what requires a certificate that is refused', async () => {
    await using at = await world(() => Promise.reject(REFUSED));
    expect(await at.outcome(at.keeper.certify(RECORD, REQUIRED, going))).toBe(
      'MESH_ERR_CERTIFICATE_REFUSED',
    );
    expect(at.tree.snapshotOf(PATH)).toBeUndefined();
  });

  it('tries again while nobody answers, and says in the end why', async () => {
    let tries = 0;
    await using at = await world(() => {
      tries += 1;
      return Promise.reject(UNAVAILABLE);
    });
    const certified = at.keeper.certify(RECORD, REQUIRED, going);
    expect(await at.outcome(certified, REQUIRED_WAIT_MS)).toBe('MESH_ERR_CERTIFICATE_UNAVAILABLE');
    expect(tries).toBeGreaterThan(3);
  });

  it('says of a Coordinator that never answers that the time was up', async () => {
    await using at = await world(() => new Promise(() => undefined));
    const certified = at.keeper.certify(RECORD, REQUIRED, going);
    expect(await at.outcome(certified, REQUIRED_WAIT_MS)).toBe('MESH_ERR_CERTIFICATE_TIMEOUT');
  });

  it('does without one where the manifest allows that, and says so', async () => {
    await using at = await world(() => Promise.reject(REFUSED));
    expect(await at.outcome(at.keeper.certify(RECORD, OPTIONAL, going))).toEqual({});
    expect(at.notices).toHaveLength(1);
    await using down = await world(() => Promise.reject(UNAVAILABLE));
    // At the first failure: an outage must not slow down every start.
    expect(await down.outcome(down.keeper.certify(RECORD, OPTIONAL, going))).toEqual({});
    await using silent = await world(() => new Promise(() => undefined));
    const certified = silent.keeper.certify(RECORD, OPTIONAL, going);
    expect(await silent.outcome(certified, OPTIONAL_WAIT_MS)).toEqual({});
  });

  it('refuses a name that the edge would never believe', async () => {
    const spiffeId = 'spiffe://mesh.local/workload/other';
    await using at = await world((nowMs) => Promise.resolve({ ...held(nowMs), spiffeId }));
    const settings: LaunchSettings = { ...REQUIRED, tls: 'mesh' };
    expect(await at.outcome(at.keeper.certify(RECORD, settings, going))).toBe(
      'MESH_ERR_CERTIFICATE_NAME',
    );
  });

  it('ends with the launch that asked for it', async () => {
    await using at = await world(() => new Promise(() => undefined));
    const ending = new AbortController();
    const certified = at.keeper.certify(RECORD, OPTIONAL, ending.signal);
    ending.abort(Object.assign(new Error('Drained.'), { code: 'drained' }));
    expect(await at.outcome(certified)).toBe('drained');
    expect(at.tree.snapshotOf(PATH)).toBeUndefined();
  });

  it('goes on for an adopted instance, once', async () => {
    await using at = await world((nowMs) => Promise.resolve(held(nowMs)));
    await at.outcome(at.keeper.keep(RECORD));
    await at.outcome(at.keeper.keep(RECORD));
    expect(at.tree.snapshotOf(PATH)).toMatchObject({ value: { held: 'fresh' } });
  });

  it('asks for nothing where nothing is wanted', async () => {
    await using at = await world(() => Promise.reject(REFUSED));
    const settings: LaunchSettings = { ...DEFAULT_SETTINGS, identity: 'none' };
    expect(await at.outcome(at.keeper.certify(RECORD, settings, going))).toEqual({});
    expect(at.notices).toEqual([]);
  });

  it('refuses what requires one in a mesh without a Coordinator, and nothing else', async () => {
    await using at = await world(() => Promise.reject(REFUSED));
    const { clock } = at;
    const none = createInstanceCertificates({
      clock,
      tree: at.tree,
      random: seededRandom(1),
      notice: () => undefined,
    });
    expect(await at.outcome(none.certify(RECORD, REQUIRED, going))).toBe(
      'MESH_ERR_CERTIFICATE_NO_COORDINATOR',
    );
    expect(await none.certify(RECORD, OPTIONAL, going)).toEqual({});
    await none.keep(RECORD);
    await none.release(RECORD);
  });
});

describe('certifiedAppOf', () => {
  it.each([
    ['spiffe://mesh.local/workload/hello', 'hello'],
    ['spiffe://mesh.local/edge/hello', ''],
    ['spiffe://mesh.local/workload/hello/more', ''],
    ['https://mesh.local/workload/hello', ''],
  ])('finds in %s the app "%s"', (spiffeId, app) => {
    expect(certifiedAppOf(spiffeId)).toBe(app);
  });
});

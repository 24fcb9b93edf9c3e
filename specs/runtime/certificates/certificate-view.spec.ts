import { describe, expect, it } from 'vitest';
import { certificatePath, EDGE_CERTIFICATE } from '../../../actors/workload/paths.ts';
import type { CertificateContext } from '../../../machines/workload/certificate-rules.ts';
import {
  certificateOf,
  certificateRows,
  certificateState,
} from '../../../runtime/certificates/certificate-view.ts';
import type { MeshParts } from '../../../runtime/compose.ts';
import { HELD, SUBJECT } from '../../support/model/certificate-model.ts';
import { instanceRecord } from '../../support/workload-samples.ts';

const NONE: CertificateContext = {
  subject: SUBJECT,
  jitter: 0,
  certificate: null,
  failures: 0,
  failure: null,
  renewals: 0,
};
const REFUSAL = { code: 'MESH_ERR_CERTIFICATE_REFUSED', message: 'No policy.', isFinal: true };

type Seen = Parameters<typeof certificateState>[0];

/** A mesh of which only these actors are there. */
const meshOf = (actors: Readonly<Record<string, Seen>>) =>
  ({
    tree: { snapshotOf: (path: string) => actors[path] },
    fabric: {
      instances: () =>
        Promise.resolve(
          ['hello-2', 'hello-1', 'plain-1'].map((instance) => instanceRecord({ instance })),
        ),
    },
  }) as unknown as MeshParts;

describe('certificateState', () => {
  it.each<[string, Seen['value'], Partial<CertificateContext>, string]>([
    ['reads its files', 'reading', {}, 'obtaining'],
    ['asks', { missing: 'obtaining' }, {}, 'obtaining'],
    ['waits to ask again', { missing: 'waiting' }, { failures: 2 }, 'obtaining'],
    ['was refused', { missing: 'refused' }, { failure: REFUSAL }, 'refused'],
    ['asks after it was refused', { missing: 'obtaining' }, { failure: REFUSAL }, 'refused'],
    ['holds one', { held: 'fresh' }, { certificate: HELD }, 'valid'],
    ['renews it', { held: 'renewing' }, { certificate: HELD }, 'renewing'],
    ['waits to renew it', { held: 'waiting' }, { certificate: HELD }, 'renewing'],
    ['held one', { missing: 'waiting' }, { certificate: HELD }, 'expired'],
  ])('of one that %s', (_, value, context, state) => {
    expect(certificateState({ value, context: { ...NONE, ...context } })).toBe(state);
  });
});

describe('certificateRows', () => {
  it("gives the edge's first, then those that instances have", async () => {
    const held: Seen = { value: { held: 'fresh' }, context: { ...NONE, certificate: HELD } };
    const refused: Seen = { value: { missing: 'refused' }, context: { ...NONE, failure: REFUSAL } };
    const rows = await certificateRows(
      meshOf({
        [EDGE_CERTIFICATE]: held,
        [certificatePath('node-1', 'hello-1')]: held,
        [certificatePath('node-1', 'hello-2')]: refused,
      }),
    );
    expect(rows).toEqual([
      {
        app: null,
        node: null,
        instance: null,
        state: 'valid',
        spiffeId: HELD.spiffeId,
        serialNumber: '4a',
        notAfter: '1970-01-01T01:00:00.000Z',
        renewAt: '1970-01-01T00:30:00.000Z',
        renewals: 0,
        failure: null,
      },
      expect.objectContaining({ app: 'hello', node: 'node-1', instance: 'hello-1' }),
      expect.objectContaining({
        instance: 'hello-2',
        state: 'refused',
        spiffeId: null,
        notAfter: null,
        renewAt: null,
        failure: 'MESH_ERR_CERTIFICATE_REFUSED: No policy.',
      }),
    ]);
  });

  it('is empty without a Coordinator', async () => {
    expect(await certificateRows(meshOf({}))).toEqual([]);
    expect(certificateOf(meshOf({}), instanceRecord())).toBeNull();
  });
});

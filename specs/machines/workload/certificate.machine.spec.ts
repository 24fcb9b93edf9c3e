import { describe, expect, it } from 'vitest';
import { initialTransition, transition } from 'xstate';
import type { EventObject } from 'xstate';
import { CERTIFICATE_ERRORS } from '../../../machines/workload/certificate-errors.ts';
import { certificateMachine } from '../../../machines/workload/certificate.machine.ts';
import {
  RENEWAL_MS_MIN,
  RETRY_MS_MAX,
  failureOf,
  renewAtMs,
  retryMs,
} from '../../../machines/workload/certificate-rules.ts';
import { machineSuite } from '../../support/machine.suite.ts';
import {
  HELD,
  REFUSED,
  SUBJECT,
  UNAVAILABLE,
  certificateModel,
} from '../../support/model/certificate-model.ts';

machineSuite(certificateMachine, certificateModel);

const done = (effect: string, output: unknown): EventObject =>
  ({ type: `xstate.done.actor.0.certificate.${effect}`, output }) as EventObject;
const failed = (effect: string, error: unknown): EventObject =>
  ({ type: `xstate.error.actor.0.certificate.${effect}`, error }) as EventObject;
const after = (delay: string, state: string): EventObject => ({
  type: `xstate.after.${delay}.certificate.${state}`,
});

const READ = done('reading', null);
const OBTAINED = done('missing.obtaining', HELD);

function walk(...events: EventObject[]) {
  let [snapshot] = initialTransition(certificateMachine, { subject: SUBJECT, jitter: 0.5 });
  for (const event of events)
    [snapshot] = transition(certificateMachine, snapshot, event as { type: 'renew' });
  return snapshot;
}

describe('certificate', () => {
  it('uses what is there, and asks for nothing', () => {
    expect(walk(done('reading', HELD)).value).toEqual({ held: 'fresh' });
  });

  it('renews at half life, and stays valid while that fails', () => {
    const due = walk(READ, OBTAINED, { type: 'renewal.due' });
    expect(due.value).toEqual({ held: 'renewing' });
    const waiting = walk(
      READ,
      OBTAINED,
      { type: 'renewal.due' },
      failed('held.renewing', UNAVAILABLE),
    );
    expect(waiting.value).toEqual({ held: 'waiting' });
    expect(waiting.context).toMatchObject({
      certificate: HELD,
      failures: 1,
      failure: { code: 'MESH_ERR_CERTIFICATE_UNAVAILABLE', isFinal: false },
    });
  });

  it('counts a renewal, and forgets the failures before it', () => {
    const { value, context } = walk(
      READ,
      OBTAINED,
      { type: 'renewal.due' },
      failed('held.renewing', UNAVAILABLE),
      after('retry', 'held.waiting'),
      done('held.renewing', { ...HELD, serialNumber: '4b' }),
    );
    expect(value).toEqual({ held: 'fresh' });
    expect(context).toMatchObject({
      certificate: { serialNumber: '4b' },
      failures: 0,
      failure: null,
      renewals: 1,
    });
  });

  it('keeps asking once it has expired, and still knows what it was', () => {
    const { value, context } = walk(READ, OBTAINED, { type: 'certificate.expired' });
    expect(value).toEqual({ missing: 'obtaining' });
    expect(context.certificate).toEqual(HELD);
  });

  it('waits for longer after a refusal', () => {
    const refused = walk(READ, failed('missing.obtaining', REFUSED));
    expect(refused.value).toEqual({ missing: 'refused' });
    expect(refused.context.failure).toEqual({
      code: 'MESH_ERR_CERTIFICATE_REFUSED',
      message: 'It has no policy.',
      isFinal: true,
    });
  });

  it('says of a Coordinator that is silent that the time was up', () => {
    const { context } = walk(READ, after('OBTAIN_TIMEOUT_MS', 'missing.obtaining'));
    expect(context.failure?.code).toBe('MESH_ERR_CERTIFICATE_TIMEOUT');
    expect(CERTIFICATE_ERRORS).toHaveProperty('MESH_ERR_CERTIFICATE_TIMEOUT');
  });
});

describe('renewAtMs', () => {
  it('is half of a life, and never less than a second away', () => {
    expect(renewAtMs(HELD)).toBe(1_800_000);
    expect(renewAtMs({ ...HELD, notAfterMs: 100 })).toBe(RENEWAL_MS_MIN);
  });
});

describe('retryMs', () => {
  it('doubles up to a minute, with a fifth of jitter either way', () => {
    expect([1, 2, 3, 4, 9, 99].map((failures) => retryMs(failures, 0.5))).toEqual([
      250,
      500,
      1_000,
      2_000,
      RETRY_MS_MAX,
      RETRY_MS_MAX,
    ]);
    expect([0, 0.999].map((jitter) => retryMs(3, jitter))).toEqual([800, 1_200]);
  });
});

describe('failureOf', () => {
  it('has a code for an error without one, which may pass', () => {
    expect(failureOf(new Error('odd'))).toEqual({
      code: 'MESH_ERR_CERTIFICATE_FAILED',
      message: 'odd',
      isFinal: false,
    });
  });
});

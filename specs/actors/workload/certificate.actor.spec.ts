import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { LOOK_MS_MAX, createCertificateLogic } from '../../../actors/workload/certificate.actor.ts';
import type { CertificateNews } from '../../../actors/workload/certificate.actor.ts';
import type { Certificates } from '../../../actors/workload/ports/certificates.ts';
import { certificateMachine } from '../../../machines/workload/certificate.machine.ts';
import type { HeldCertificate } from '../../../machines/workload/certificate-rules.ts';
import {
  HELD,
  SUBJECT,
  UNAVAILABLE,
  certificateModel,
} from '../../support/model/certificate-model.ts';
import { modelWalk } from '../../support/model/model-walk.suite.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

modelWalk(certificateMachine, {
  models: [certificateModel],
  bind: (gates) => ({
    logic: createCertificateLogic({
      clock: new VirtualClock(),
      notice: () => undefined,
      certificates: {
        read: () => gates.wait('readCertificate'),
        obtain: (_, signal) => gates.wait('obtainCertificate', signal),
        settled: async () => undefined,
        environment: () => Promise.resolve({}),
      },
    }),
  }),
});

/** A Coordinator that gives a certificate of an hour whenever it is up. */
function world() {
  const clock = new VirtualClock();
  const news: CertificateNews[] = [];
  const notices: string[] = [];
  const state = { isUp: true, found: null as HeldCertificate | null, issued: 0 };
  const certificates: Certificates = {
    read: () => Promise.resolve(state.found),
    obtain: () => {
      if (!state.isUp) return Promise.reject(UNAVAILABLE);
      const issuedAtMs = clock.now();
      const serialNumber = String(++state.issued);
      const notAfterMs = issuedAtMs + HELD.notAfterMs;
      return Promise.resolve({ ...HELD, serialNumber, issuedAtMs, notAfterMs });
    },
    settled: async () => undefined,
    environment: () => Promise.resolve({}),
  };
  const logic = createCertificateLogic({
    clock,
    certificates,
    notice: (about, error) => notices.push(`${about}: ${String(error)}`),
    onNews: (_, one) => news.push(one),
  });
  const start = () =>
    createActor(logic, { input: { subject: SUBJECT, jitter: 0.5 }, clock }).start();
  return { clock, news, notices, state, start };
}

describe('createCertificateLogic', () => {
  it('renews at half life, again and again', async () => {
    const { clock, start, state } = world();
    const actor = start();
    await clock.advance(1);
    expect(state.issued).toBe(1);
    await clock.advance(1_799_000);
    expect(state.issued).toBe(1);
    await clock.advance(2_000);
    expect(state.issued).toBe(2);
    await clock.advance(10 * 1_800_100);
    expect(state.issued).toBe(12);
    expect(actor.getSnapshot().context.renewals).toBe(11);
    actor.stop();
  });

  it('bears a Coordinator that is down, says so ever less often, and renews when it is back', async () => {
    const { clock, notices, start, state } = world();
    const actor = start();
    await clock.advance(1_700_000);
    state.isUp = false;
    await clock.advance(1_000_000);
    expect(actor.getSnapshot().value).toEqual({ held: 'waiting' });
    expect(notices.length).toBeGreaterThan(2);
    expect(notices.length).toBeLessThan(8);
    expect(notices[0]).toContain('MESH_ERR_CERTIFICATE_UNAVAILABLE');
    state.isUp = true;
    await clock.advance(80_000);
    expect(actor.getSnapshot().value).toEqual({ held: 'fresh' });
    actor.stop();
  });

  it('says that it has expired, and goes on asking', async () => {
    const { clock, notices, start, state } = world();
    const actor = start();
    await clock.advance(1);
    state.isUp = false;
    await clock.advance(3_600_001);
    expect(actor.getSnapshot().matches('missing')).toBe(true);
    expect(notices.some((line) => line.includes('has expired'))).toBe(true);
    state.isUp = true;
    await clock.advance(80_000);
    expect(actor.getSnapshot().value).toEqual({ held: 'fresh' });
    actor.stop();
  });

  it('goes on with what it finds, and renews it when that is due', async () => {
    const { clock, news, start, state } = world();
    state.found = {
      ...HELD,
      issuedAtMs: clock.now() - 1_700_000,
      notAfterMs: clock.now() + 1_900_000,
    };
    const actor = start();
    await clock.advance(1);
    expect(state.issued).toBe(0);
    expect(news).toEqual([{ type: 'held', certificate: state.found }]);
    await clock.advance(100_001 + LOOK_MS_MAX);
    expect(state.issued).toBe(1);
    actor.stop();
  });
});

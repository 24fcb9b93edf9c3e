import { describe, expect, it } from 'vitest';
import type { AppCountersSnapshot } from '../../../runtime/edge/counters.ts';
import { machineOf } from '../../../runtime/telemetry/machine-names.ts';
import { createMetrics } from '../../../runtime/telemetry/metrics.ts';
import { EPOCH_MS } from '../../support/control/records.ts';
import { createFakeMesh } from '../../support/control/fake-mesh.ts';

const COUNTERS: AppCountersSnapshot = {
  requests: 6,
  byClass: { '1xx': 0, '2xx': 5, '3xx': 0, '4xx': 1, '5xx': 0 },
  inFlight: 0,
  aborted: 0,
  retries: 0,
  ejections: 0,
  bytesIn: 0,
  bytesOut: 0,
  latency: { boundsMs: [1, 10], counts: [3, 2, 1], sumMs: 250 },
};

async function metricsOf(startedAtMs: number) {
  const mesh = createFakeMesh();
  const tree = await mesh.describe();
  return createMetrics({
    version: '0.1.0',
    startedAtMs,
    describe: () => tree,
    instances: () => mesh.ps(),
    deployments: () => mesh.history('hello'),
    edge: () => ({ hello: COUNTERS }),
    certificates: () => mesh.certificates(),
  });
}

const linesOf = (text: string, name: string): string[] =>
  text.split('\n').filter((line) => line.startsWith(name));

describe('createMetrics', () => {
  it('says what runs', async () => {
    const text = await (await metricsOf(0)).text();
    expect(linesOf(text, 'mesh_build_info')).toEqual([
      `mesh_build_info{version="0.1.0",node="${process.version}"} 1`,
    ]);
    expect(linesOf(text, 'mesh_actors')).toEqual([
      'mesh_actors{machine="supervisor",status="running"} 1',
      'mesh_actors{machine="other",status="running"} 2',
    ]);
    expect(linesOf(text, 'mesh_workload_up')).toEqual([
      'mesh_workload_up{app="hello",role="active"} 2',
    ]);
  });

  it('says which certificates there are, and when the first of an app ends', async () => {
    const text = await (await metricsOf(0)).text();
    expect(linesOf(text, 'mesh_certificate')).toEqual([
      'mesh_certificates{app="@edge",state="valid"} 1',
      'mesh_certificates{app="hello",state="refused"} 1',
      `mesh_certificate_expiry_timestamp_seconds{app="@edge"} ${EPOCH_MS / 1_000 + 86_400}`,
    ]);
  });

  it('says what the edge counted, with cumulative buckets in seconds', async () => {
    const metrics = await metricsOf(0);
    await metrics.text();
    const text = await metrics.text();
    expect(linesOf(text, 'mesh_edge_requests_total{')).toContain(
      'mesh_edge_requests_total{app="hello",code="2xx"} 5',
    );
    expect(linesOf(text, 'mesh_edge_request_duration_seconds')).toEqual([
      'mesh_edge_request_duration_seconds_bucket{le="0.001",app="hello"} 3',
      'mesh_edge_request_duration_seconds_bucket{le="0.01",app="hello"} 5',
      'mesh_edge_request_duration_seconds_bucket{le="+Inf",app="hello"} 6',
      'mesh_edge_request_duration_seconds_sum{app="hello"} 0.25',
      'mesh_edge_request_duration_seconds_count{app="hello"} 6',
    ]);
  });

  it('counts restarts by machine, never by path', async () => {
    const metrics = await metricsOf(0);
    const at = { atMs: 0, incarnation: 2, restarts: 1 };
    metrics.report({ ...at, type: 'restart', path: 'mesh/agents/node-1/hello' });
    metrics.report({ ...at, type: 'restart', path: 'mesh/agents/node-2/hello.1' });
    metrics.report({ ...at, type: 'start', path: 'mesh/agents/node-2/hello' });
    expect(linesOf(await metrics.text(), 'mesh_actor_restarts_total{')).toEqual([
      'mesh_actor_restarts_total{machine="agent-app"} 2',
    ]);
  });

  it('observes each deployment once, and none of an earlier mesh', async () => {
    const count = async (startedAtMs: number) => {
      const metrics = await metricsOf(startedAtMs);
      await metrics.text();
      return linesOf(await metrics.text(), 'mesh_deploy_seconds_count');
    };
    expect(await count(0)).toEqual(['mesh_deploy_seconds_count{outcome="succeeded"} 1']);
    expect(await count(Date.parse('2030-01-01T00:00:00Z'))).toEqual([]);
  });
});

describe('machineOf', () => {
  it.each([
    ['mesh', 'supervisor', 'supervisor'],
    ['mesh/worker-pool', 'worker', 'worker-pool'],
    ['mesh/edge/listener', 'worker', 'edge'],
    ['mesh/edge/targets/hello-1', 'worker', 'target'],
    ['mesh/edge/certificate', 'worker', 'certificate'],
    ['mesh/agents/node-1/@agent', 'worker', 'agent'],
    ['mesh/agents/node-1/@certificates/hello-1', 'worker', 'certificate'],
    ['mesh/agents/node-1/@instances/hello-1', 'worker', 'instance'],
    ['mesh/agents/node-1/hello', 'worker', 'agent-app'],
    ['mesh/rollouts/hello@2', 'worker', 'rollout'],
    ['mesh/planner', 'worker', 'planner'],
    ['mesh/gossip/requesters/0f0f', 'worker', 'requester'],
    ['mesh/gossip/responders/0f0f.a1', 'worker', 'responder'],
    ['mesh/gossip/outbox', 'worker', 'outbox'],
    ['mesh/gossip/expiry', 'worker', 'expiry'],
    ['mesh/gossip/inbox', 'worker', 'inbox'],
    ['mesh/gossip/sync', 'worker', 'sync'],
    ['mesh/mine', 'worker', 'other'],
  ] as const)('knows %s', (path, kind, machine) => {
    expect(machineOf(path, kind)).toBe(machine);
  });
});

/** Blue/green at the edge's side: what a client notices of fifty switches, and of slow neighbours. */
import { Agent, request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../runtime/adapters/clock.system.ts';
import type { Upstream } from '../runtime/edge/edge-world.ts';
import { startEdge, until } from '../runtime/edge/edge-world.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** One request of a keep-alive agent. */
const ask = (agent: Agent, port: number, method: string, body: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const headers = { 'Content-Length': Buffer.byteLength(body) };
    const outgoing = request({ agent, port, path: '/app/x', method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      response.on('error', reject);
    });
    outgoing.on('error', reject).end(body);
  });

const SWITCHES = 50;
const LOOPS = 32;

describe('fifty switches under constant load', () => {
  it('fail no request, and leave no connection to an old instance', async () => {
    await using world = await startEdge();
    const start = (name: string): Promise<Upstream> =>
      world.http((incoming, response) => {
        let taken = '';
        incoming.setEncoding('utf8').on('data', (chunk: string) => {
          taken += chunk;
        });
        // Some answers take longer than a switch, so that drains have something to wait for.
        const wait = taken.length % 5 === 0 ? Math.random() * 20 : 0;
        incoming.on('end', () => setTimeout(() => response.end(`${name}:${taken}`), wait));
      });
    let active = await start('v0');
    world.routes.publish('app', [active.target]);
    const agent = new Agent({ keepAlive: true, maxSockets: LOOPS });
    const wrong: unknown[] = [];
    let requests = 0;
    const over = new AbortController();
    const loops = Array.from({ length: LOOPS }, async (_, index) => {
      while (!over.signal.aborted) {
        const body = `${index}-${requests++}`;
        const method = index % 2 === 0 ? 'POST' : 'PUT';
        try {
          const answer = await ask(agent, world.port, method, body);
          if (answer.status !== 200 || !answer.body.endsWith(`:${body}`)) wrong.push(answer);
        } catch (error) {
          wrong.push(error);
        }
      }
    });
    for (let count = 1; count <= SWITCHES; count++) {
      const candidate = await start(`v${count}`);
      const before = requests;
      world.routes.publish('app', [candidate.target]);
      const drained = await world.routes.drain(active.target.instance, {
        deadlineMs: 10_000,
        clock: systemClock,
      });
      expect(drained).toEqual({ cancelled: 0 });
      expect(world.routes.inFlight(active.target.instance)).toBe(0);
      await until(() => active.sockets.size === 0, 'the last connection to close');
      // As the agent would: the process is killed once it is drained.
      await active.close();
      active = candidate;
      await until(() => requests > before + LOOPS, 'load on the candidate');
    }
    over.abort();
    await Promise.all(loops);
    agent.destroy();
    expect(wrong).toEqual([]);
    expect(requests).toBeGreaterThan(SWITCHES * LOOPS);
    expect(world.edge.counters().apps['app']).toMatchObject({
      requests,
      byClass: { '2xx': requests, '4xx': 0, '5xx': 0 },
      aborted: 0,
      inFlight: 0,
    });
  });

  it('fail no request either when old instances are killed without a drain, if it may be repeated', async () => {
    await using world = await startEdge();
    const start = (name: string): Promise<Upstream> =>
      world.http((_, response) => void response.end(name));
    let old = await start('v0');
    const steady = await start('steady');
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    world.routes.publish('app', [old.target, steady.target]);
    const wrong: unknown[] = [];
    let requests = 0;
    const over = new AbortController();
    const loops = Array.from({ length: 8 }, async () => {
      while (!over.signal.aborted) {
        requests++;
        const answer = await ask(agent, world.port, 'GET', '').catch((error: unknown) => error);
        if ((answer as Answer).status !== 200) wrong.push(answer);
      }
    });
    for (let count = 1; count <= 20; count++) {
      await old.close();
      const next = await start(`v${count}`);
      world.routes.publish('app', [next.target, steady.target]);
      old = next;
      // A request gets one second try: the next death must not meet the same request.
      const before = requests;
      await until(() => requests > before + 32 && next.received() !== '', 'load on the next');
    }
    over.abort();
    await Promise.all(loops);
    agent.destroy();
    expect(wrong).toEqual([]);
  });
});

describe('a thousand slow clients', () => {
  it('cost bounded memory, starve nobody, and are gone after the head timeout', async () => {
    await using world = await startEdge({ headTimeoutMs: 4_000 });
    const upstream = await world.http((_, response) => void response.end('ok'));
    world.routes.publish('app', [upstream.target]);
    await (await fetch(`http://127.0.0.1:${world.port}/app/`)).text();
    globalThis.gc?.();
    const before = process.memoryUsage().rss;
    const slow = Array.from({ length: 1_000 }, () => world.client());
    for (const client of slow) client.send('POST /app/ HTTP/1.1\r\nHost: a\r\nX-Slow: ');
    await until(() => world.edge.counters().connections >= 1_000, 'a thousand connections');
    const began = performance.now();
    const latencies: number[] = [];
    while (performance.now() - began < 1_500) {
      for (const client of slow) if (Math.random() < 0.05) client.send('x');
      const sentAt = performance.now();
      const response = await fetch(`http://127.0.0.1:${world.port}/app/`);
      expect(await response.text()).toBe('ok');
      latencies.push(performance.now() - sentAt);
    }
    const grownBytes = process.memoryUsage().rss - before;
    // Both ends of the connections live in this process: 1,000 of them may cost 100 KiB each.
    expect(grownBytes).toBeLessThan(100 * 1024 * 1024);
    latencies.sort((a, b) => a - b);
    expect(latencies[Math.floor(latencies.length / 2)]).toBeLessThan(250);
    const answers = await Promise.all(slow.map((client) => client.closed()));
    expect(answers.every((answer) => answer.startsWith('HTTP/1.1 408 '))).toBe(true);
    expect(upstream.received()).not.toContain('X-Slow');
  });
});

/** Requests at a constant rate, whatever the answers take; counts what came back. */
import { Agent, get } from 'node:http';

export interface LoadResult {
  readonly sent: number;
  readonly byStatus: ReadonlyMap<number, number>;
  readonly byBody: ReadonlyMap<string, number>;
  /** Everything that was not a whole 200. */
  readonly failures: readonly string[];
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
}

export interface SteadyLoad {
  stop(): Promise<LoadResult>;
}

/** Failures that are kept in words; all are counted. */
const FAILURES_KEPT = 1_000;

const count = <Key>(map: Map<Key, number>, key: Key): void => {
  map.set(key, (map.get(key) ?? 0) + 1);
};

/** Starts at once; `stop` waits for the answers under way. Bounded to `maxSeconds`. */
export function steadyLoad(url: string, perSecond: number, maxSeconds = 120): SteadyLoad {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const byStatus = new Map<number, number>();
  const byBody = new Map<string, number>();
  const failures: string[] = [];
  const latenciesMs: number[] = [];
  const startedAt = performance.now();
  let sent = 0;
  let pending = 0;
  let isOver = false;
  const settled = Promise.withResolvers<void>();

  const finish = (): void => {
    pending -= 1;
    if (isOver && pending === 0) settled.resolve();
  };
  const send = (): void => {
    sent += 1;
    pending += 1;
    const at = performance.now();
    const fail = (text: string): void => {
      if (failures.length < FAILURES_KEPT)
        failures.push(`${Math.round(at - startedAt)} ms: ${text}`);
    };
    const request = get(url, { agent, timeout: 30_000 }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('error', (error) => {
        fail(String(error));
        finish();
      });
      response.on('end', () => {
        latenciesMs.push(performance.now() - at);
        count(byStatus, response.statusCode ?? 0);
        if (response.statusCode === 200) count(byBody, body.trim());
        else fail(`${response.statusCode} ${body}`);
        finish();
      });
    });
    request.on('timeout', () => request.destroy(new Error('It timed out.')));
    request.on('error', (error) => {
      fail(String(error));
      finish();
    });
  };
  const timer = setInterval(() => {
    const elapsed = (performance.now() - startedAt) / 1000;
    if (elapsed > maxSeconds) clearInterval(timer);
    else while (sent < elapsed * perSecond) send();
  }, 5);

  return {
    async stop() {
      clearInterval(timer);
      const seconds = (performance.now() - startedAt) / 1000;
      isOver = true;
      if (pending > 0) await settled.promise;
      agent.destroy();
      return { sent, byStatus, byBody, failures, latenciesMs, perSecond: sent / seconds };
    },
  };
}

/**
 * The edge against nginx, caddy, fast-proxy and http-proxy, all forwarding `/app/…` to one instance
 * and adding the same fields. Every contender is one process, which is charged with its CPU time.
 */
import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchPlan, BenchRow, Measure, Missing } from './harness.ts';
import { cpuSecondsOf, missing, programOnPath } from './harness.ts';

interface Contender {
  readonly pid: number;
  readonly port: number;
}

const run = promisify(execFile);
const CONNECTIONS = 64;
const SECONDS = 2;
/** About a tenth of what the slowest contender can do. */
const RATE = 1_000;
const START_DEADLINE_MS = 15_000;

const children: ChildProcess[] = [];
const folder = mkdtempSync(join(tmpdir(), 'edge-bench-'));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function node(name: string, upstream = 0): Promise<Contender> {
  const script = join(import.meta.dirname, 'edge-contender.ts');
  const child = spawn(process.execPath, [script, name, String(upstream)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { pid: child.pid ?? 0, port: Number(line.toString()) };
}

async function answers(port: number, path: string): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      await response.arrayBuffer();
      if (response.ok) return;
    } catch (cause) {
      // Not listening yet is what is waited out; past the deadline it is the reason.
      if (performance.now() > deadline) throw cause;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

function program(path: string, args: readonly string[]): number {
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'ignore'], env });
  children.push(child);
  return child.pid ?? 0;
}

function nginxConfig(name: string, http: string): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${name}-${kind};`)
    .join(' ');
  const file = join(folder, `${name}.conf`);
  writeFileSync(
    file,
    `daemon off; master_process off; error_log ${folder}/${name}.log; pid ${folder}/${name}.pid;
    events { worker_connections 4096; }
    http { access_log off; keepalive_requests 1000000000; ${temp} ${http} }`,
  );
  return file;
}

/** The instance behind all contenders; nginx where there is one, as it is the fastest. */
async function startUpstream(nginx: string | undefined): Promise<number> {
  if (nginx === undefined) return (await node('upstream')).port;
  const port = await freePort();
  writeFileSync(join(folder, 'large'), Buffer.alloc(2 ** 20, 'x'));
  const http = `server { listen 127.0.0.1:${port}; root ${folder};
    location = /small { default_type text/plain; return 200 "hello from a small instance"; }
    location = /large { sendfile on; } }`;
  program(nginx, ['-c', nginxConfig('upstream', http)]);
  await answers(port, '/large');
  return port;
}

async function startNginx(nginx: string, upstream: number): Promise<Contender> {
  const port = await freePort();
  const http = `upstream app { server 127.0.0.1:${upstream}; keepalive 256;
      keepalive_requests 1000000000; }
    server { listen 127.0.0.1:${port}; location /app/ { proxy_pass http://app/;
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto http;
      proxy_set_header X-Forwarded-Host $http_host; proxy_set_header Via "1.1 mycelium";
      add_header X-Mycelium-Edge $time_iso8601; add_header Via "1.1 mycelium"; } }`;
  return { pid: program(nginx, ['-c', nginxConfig('proxy', http)]), port };
}

async function startCaddy(caddy: string, upstream: number): Promise<Contender> {
  const port = await freePort();
  const file = join(folder, 'Caddyfile');
  writeFileSync(
    file,
    `{\n admin off\n auto_https off\n}\nhttp://127.0.0.1:${port} {\n handle_path /app/* {\n` +
      `  header X-Mycelium-Edge now\n  reverse_proxy 127.0.0.1:${upstream}\n }\n}\n`,
  );
  return { pid: program(caddy, ['run', '--config', file, '--adapter', 'caddyfile']), port };
}

interface Load {
  readonly requests: number;
  readonly failed: number;
  readonly p99Ms: number;
}

async function load(port: number, path: string, rate: number, connections: number): Promise<Load> {
  const script = join(import.meta.dirname, 'edge-load.ts');
  const args = [script, port, path, connections, rate, SECONDS].map(String);
  const result = JSON.parse((await run(process.execPath, args)).stdout) as Load;
  if (result.failed > 0) throw new Error(`${result.failed} requests to port ${port} failed.`);
  return result;
}

/** Requests answered in `SECONDS` by as much load as one core of load generator gives. */
async function saturate(port: number, path: string, wrk: string | undefined): Promise<number> {
  if (wrk === undefined) return (await load(port, path, 0, CONNECTIONS)).requests;
  const url = `http://127.0.0.1:${port}${path}`;
  const { stdout } = await run(wrk, ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, url]);
  const errors = /Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1];
  if (errors !== undefined) throw new Error(`${errors} requests to port ${port} failed.`);
  return Number(/(\d+) requests in/.exec(stdout)?.[1]);
}

type Contenders = Readonly<Record<string, Contender | Missing>>;

function row(
  about: Pick<BenchRow, 'metric' | 'unit' | 'better'>,
  ours: Contender,
  peers: Contenders,
  measure: (contender: Contender) => Promise<number>,
): BenchRow {
  const entries = Object.entries(peers).map(([name, peer]): [string, Measure | Missing] => [
    name,
    'missing' in peer ? peer : () => measure(peer),
  ]);
  return { ...about, ours: () => measure(ours), peers: Object.fromEntries(entries) };
}

async function startPeers(nginx: string | undefined, upstream: number): Promise<Contenders> {
  const caddy = programOnPath('caddy');
  return {
    nginx: nginx === undefined ? missing('not installed') : await startNginx(nginx, upstream),
    caddy: caddy === undefined ? missing('not installed') : await startCaddy(caddy, upstream),
    'fast-proxy': await node('fast-proxy', upstream),
    'http-proxy': await node('http-proxy', upstream),
  };
}

/** Requests per CPU second with small and large bodies, and the p99 at a fixed moderate load. */
export async function bench(): Promise<BenchPlan> {
  const nginx = programOnPath('nginx');
  const wrk = programOnPath('wrk');
  const upstream = await startUpstream(nginx);
  const ours = await node('ours', upstream);
  const peers = await startPeers(nginx, upstream);
  for (const one of [ours, ...Object.values(peers)])
    if ('port' in one) await answers(one.port, '/app/small');
  const perCpuSecond = (path: string) => async (contender: Contender) => {
    const before = cpuSecondsOf(contender.pid);
    const requests = await saturate(contender.port, path, wrk);
    return requests / (cpuSecondsOf(contender.pid) - before);
  };
  const p99 = async ({ port }: Contender): Promise<number> =>
    (await load(port, '/app/small', RATE, CONNECTIONS)).p99Ms;
  const unit = 'requests per CPU second of the proxy';
  return {
    rows: [
      row({ metric: 'small body', unit, better: 'more' }, ours, peers, perCpuSecond('/app/small')),
      row({ metric: '1 MiB body', unit, better: 'more' }, ours, peers, perCpuSecond('/app/large')),
      row({ metric: `p99 at ${RATE} requests/s`, unit: 'ms', better: 'less' }, ours, peers, p99),
    ],
    dispose: async () => {
      for (const child of children) {
        child.kill('SIGKILL');
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

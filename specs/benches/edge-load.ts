/**
 * Load at a fixed rate: `node edge-load.ts PORT PATH CONNECTIONS RATE SECONDS` prints
 * `{ requests, failed, p50Ms, p99Ms }`. A rate of 0 sends as fast as answers come. A request's time
 * counts from when it was due, so a proxy that stands still is charged for all that had to wait.
 */
import type { Socket } from 'node:net';
import { connect } from 'node:net';

const [port, , connections, rate, seconds] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
  number,
];
const request = `GET ${process.argv[3]} HTTP/1.1\r\nHost: bench\r\n\r\n`;
const latencies: number[] = [];
const due: number[] = [];
const free: Client[] = [];
let failed = 0;

/** One connection with at most one request on it. */
class Client {
  readonly #socket: Socket;
  #dueAt = 0;
  #left = 0;
  #head = '';

  constructor() {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#socket.on('error', () => failed++);
  }

  send(dueAt: number): void {
    this.#dueAt = dueAt;
    this.#socket.write(request, 'latin1');
  }

  end(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#left > 0) this.#left -= chunk.length;
    else {
      this.#head += chunk.toString('latin1');
      const end = this.#head.indexOf('\r\n\r\n');
      if (end === -1) return;
      if (!this.#head.startsWith('HTTP/1.1 200')) failed++;
      const length = Number(/content-length: *(\d+)/i.exec(this.#head)?.[1]);
      this.#left = length - (this.#head.length - end - 4);
      this.#head = '';
    }
    if (this.#left > 0) return;
    this.#left = 0;
    latencies.push(performance.now() - this.#dueAt);
    const next = rate === 0 ? performance.now() : due.shift();
    if (next === undefined) free.push(this);
    else this.send(next);
  }
}

for (let count = 0; count < connections; count++) free.push(new Client());
const began = performance.now();
let planned = 0;
if (rate === 0) for (const client of free.splice(0)) client.send(began);
const timer = setInterval(() => {
  const now = performance.now();
  const dueByNow = Math.floor(((now - began) * rate) / 1000);
  for (; planned < dueByNow; planned++) due.push(began + (planned * 1000) / rate);
  while (due.length > 0 && free.length > 0) free.pop()?.send(due.shift() ?? now);
  if (now - began < seconds * 1000) return;
  clearInterval(timer);
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  const result = { requests: latencies.length, failed, p50Ms: at(0.5), p99Ms: at(0.99) };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit();
}, 1);

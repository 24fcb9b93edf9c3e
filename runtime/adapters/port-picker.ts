import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { PortPicker } from '../../actors/workload/ports/process.ts';
import type { Clock } from '../../machines/kernel/clock.ts';
import type { Random } from '../../machines/kernel/random.ts';
import { processError } from '../../machines/workload/process-errors.ts';
import { listeningPorts } from '../spawn/tcp-listeners.ts';

/** A port is not handed out again for this long: its taker may not have bound it yet. */
export const PORT_REST_MS = 60_000;
/** Lowest port handed out; well-known services keep to those below. */
const PORT_MIN = 10_240;
const PORT_MAX = 65_535;
/** Fewer than this between PORT_MIN and the ephemeral ports, and those above them are used. */
const RANGE_MIN = 1_000;
const TRIES = 200;

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export interface PortPickerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Default: `instancePorts()`. */
  readonly range?: PortRange;
}

/**
 * Ports that the kernel does not give to outgoing connections: one of those could otherwise take a
 * port between the pick and the instance's bind.
 */
export function instancePorts(ephemeral = ephemeralRange()): PortRange {
  if (ephemeral.from - PORT_MIN >= RANGE_MIN) return { from: PORT_MIN, to: ephemeral.from - 1 };
  if (PORT_MAX - ephemeral.to >= RANGE_MIN) return { from: ephemeral.to + 1, to: PORT_MAX };
  return { from: PORT_MIN, to: PORT_MAX };
}

function ephemeralRange(): PortRange {
  const text = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1');
  const [from = PORT_MAX, to = PORT_MAX] = text.trim().split(/\s+/).map(Number);
  return { from, to };
}

/** Picks at random. MESH_ERR_PROCESS_PORTS_EXHAUSTED after 200 ports that were taken. */
export function createPortPicker(options: PortPickerOptions): PortPicker {
  const { clock, random, range = instancePorts() } = options;
  const size = range.to - range.from + 1;
  /** By port, when it was handed out; oldest first. */
  const handedOut = new Map<number, number>();

  const forgetRested = (): void => {
    const before = clock.monotonicNow() - PORT_REST_MS;
    for (const [port, atMs] of handedOut) {
      if (atMs > before) return;
      handedOut.delete(port);
    }
  };

  return {
    async pick() {
      forgetRested();
      const busy = listeningPorts();
      for (let tried = 0; tried < TRIES; tried++) {
        const port = range.from + Math.floor(random.fraction() * size);
        if (busy.has(port) || handedOut.has(port)) continue;
        // Before the first wait, so that no pick in parallel takes it, too.
        handedOut.set(port, clock.monotonicNow());
        if (await canBind(port)) return port;
      }
      throw processError(
        'MESH_ERR_PROCESS_PORTS_EXHAUSTED',
        `Picking a port from ${range.from} to ${range.to} failed: ${TRIES} were taken.`,
        { details: { ...range } },
      );
    },
  };
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // Whatever the reason, it is a port that an instance could not bind either.
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}

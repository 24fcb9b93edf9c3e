/** Who would answer a connection to a port of the loopback, read from /proc/net and /proc/PID/fd. */
import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { orGone } from './proc.ts';

const LISTEN = '0A';
const CHUNK_BYTES = 16 * 1024;

/**
 * Addresses in the kernel's order of preference for a connection to 127.0.0.1: that address, any
 * IPv4 address, any address. Hexadecimal words in the machine's byte order, which is little-endian
 * on every architecture that Node ships for here.
 */
const PREFERENCE: readonly (readonly string[])[] = [
  ['0100007F', '0000000000000000FFFF00000100007F'],
  ['00000000', '0000000000000000FFFF000000000000'],
  ['00000000000000000000000000000000'],
];

interface Listener {
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

/**
 * Listening sockets of one table. The kernel lists them before all others, so that reading stops at
 * the first that does not listen, however many connections there are.
 */
function readListeners(table: string): Listener[] {
  const fd = orGone(() => openSync(table, 'r'));
  if (fd === null) return [];
  const found: Listener[] = [];
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let rest = '';
    for (let size = 1, isHead = true; size > 0;) {
      size = readSync(fd, chunk, 0, CHUNK_BYTES, null);
      const lines = (rest + chunk.toString('latin1', 0, size)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of isHead ? lines.slice(1) : lines) {
        const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
        if (state !== LISTEN) return found;
        const [address = '', port = ''] = local.split(':');
        found.push({ address, port: Number.parseInt(port, 16), inode });
      }
      isHead = false;
    }
    return found;
  } finally {
    closeSync(fd);
  }
}

const allListeners = (): Listener[] =>
  ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => readListeners(table));

/** Inodes of the sockets that would take a connection to 127.0.0.1:`port`; empty when nobody does. */
export function loopbackListeners(port: number): readonly string[] {
  const onPort = allListeners().filter((listener) => listener.port === port);
  for (const addresses of PREFERENCE) {
    const preferred = onPort.filter(({ address }) => addresses.includes(address));
    if (preferred.length > 0) return preferred.map(({ inode }) => inode);
  }
  return [];
}

/** Ports on which anybody listens, on any address. */
export function listeningPorts(): ReadonlySet<number> {
  return new Set(allListeners().map(({ port }) => port));
}

/** Removes from `inodes` those that process `pid` holds open. */
export function dropOwned(pid: number, inodes: Set<string>): void {
  const folder = `/proc/${pid}/fd`;
  for (const fd of orGone(() => readdirSync(folder)) ?? []) {
    const target = orGone(() => readlinkSync(`${folder}/${fd}`)) ?? '';
    if (target.startsWith('socket:[')) inodes.delete(target.slice(8, -1));
  }
}

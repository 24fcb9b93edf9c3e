/** Who would answer a connection to a port of the loopback, read from /proc/net and /proc/PID/fd. */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { orGone } from './proc.ts';

const LISTEN = '0A';
const CHUNK_BYTES = 16 * 1024;
/** Lines of `tcp` are padded to this, those of `tcp6` are longer. */
const LINE_BYTES_MIN = 150;

interface Table {
  readonly name: string;
  /** The file that says how many sockets there are, and their name in it. */
  readonly counts: string;
  readonly protocol: string;
}

const TABLES: readonly Table[] = [
  { name: 'tcp', counts: 'sockstat', protocol: 'TCP' },
  { name: 'tcp6', counts: 'sockstat6', protocol: 'TCP6' },
];

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
 * Sockets of a protocol in use, or Infinity where the kernel does not say. It knows their number at
 * once; to find the next in its hash, or that there is none, it takes milliseconds.
 */
function socketsOf(table: Table): number {
  const text = orGone(() => readFileSync(`/proc/net/${table.counts}`, 'latin1')) ?? '';
  return Number(new RegExp(`^${table.protocol}: inuse (\\d+)`, 'm').exec(text)?.[1] ?? Infinity);
}

/**
 * Listening sockets of one table. The kernel lists them before all others, so that reading stops at
 * the first that does not listen, however many connections there are. It is asked for no more bytes
 * than there are lines to come, as it would look for others to fill the rest.
 */
function readListeners(table: Table): Listener[] {
  const lineCount = socketsOf(table) + 1;
  if (lineCount === 1) return [];
  const fd = orGone(() => openSync(`/proc/net/${table.name}`, 'r'));
  if (fd === null) return [];
  const found: Listener[] = [];
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let rest = '';
    for (let seen = 0; seen < lineCount;) {
      const bytes = Math.min(CHUNK_BYTES, (lineCount - seen) * LINE_BYTES_MIN - rest.length);
      const size = readSync(fd, chunk, 0, Math.max(1, bytes), null);
      if (size === 0) break;
      const lines = (rest + chunk.toString('latin1', 0, size)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (seen++ === 0) continue;
        const listener = listenerIn(line);
        if (listener === null) return found;
        found.push(listener);
      }
    }
    return found;
  } finally {
    closeSync(fd);
  }
}

function listenerIn(line: string): Listener | null {
  const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
  if (state !== LISTEN) return null;
  const [address = '', port = ''] = local.split(':');
  return { address, port: Number.parseInt(port, 16), inode };
}

const allListeners = (): Listener[] => TABLES.flatMap(readListeners);

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

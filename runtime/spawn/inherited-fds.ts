/**
 * Descriptors that whoever started the runtime left open for it, and which every child of it would
 * get, too: an instance that outlives the runtime would hold somebody's pipe or socket open. What
 * Node itself opens is closed on execution (O_CLOEXEC).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { orGone } from './proc.ts';

const O_CLOEXEC = 0o2000000;
const FIRST_AFTER_STDIO = 3;
/** A descriptor above is left alone: a table of so many is no accident of a shell. */
const FD_MAX = 4_096;

/** Those of this process, ascending. */
export function inheritedFds(): readonly number[] {
  return readdirSync('/proc/self/fdinfo')
    .map(Number)
    .filter((fd) => fd >= FIRST_AFTER_STDIO && fd <= FD_MAX && isPassedOn(fd))
    .toSorted((a, b) => a - b);
}

function isPassedOn(fd: number): boolean {
  const text = orGone(() => readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')) ?? '';
  const flags = /^flags:\s+([0-7]+)$/m.exec(text)?.[1];
  return flags !== undefined && (Number.parseInt(flags, 8) & O_CLOEXEC) === 0;
}

/** Files of a repo that are being stored, and what becomes of them when their process dies. */
import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../machines/kernel/coded-error.ts';

const random = (): string => randomBytes(8).toString('hex');

/** This run of this process: its id alone may have been that of one that died. */
const OWNER = `${process.pid}-${random()}`;

/** Process id, run, file. */
const TEMP = /^\.put-((\d+)-[0-9a-f]{16})-[0-9a-f]{16}\.tmp$/;

/** A new name for a file that this process is storing. */
export const tempName = (): string => `.put-${OWNER}-${random()}.tmp`;

/** Removes the files in `dir` that a process which is gone was storing. */
export function removeLeftovers(dir: string): void {
  for (const name of readdirSync(dir)) {
    const [, owner, pid] = TEMP.exec(name) ?? [];
    if (owner === undefined || owner === OWNER) continue;
    const isLeft = Number(pid) === process.pid || !isAlive(Number(pid));
    if (isLeft) rmSync(join(dir, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and is another user's.
    return codeOf(error) === 'EPERM';
  }
}

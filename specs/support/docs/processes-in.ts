import { readdirSync, readlinkSync } from 'node:fs';

/** Ids of the processes whose working folder is `folder` or below it. */
export function processesIn(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch {
      // It ended between the two looks, or is another user's.
      return false;
    }
  });
}

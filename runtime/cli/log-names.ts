import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../machines/kernel/coded-error.ts';

const SUFFIX = '.log';

/** Instances of an app that have a log, the ones written last at the end. */
export async function logNames(folder: string, app: string): Promise<readonly string[]> {
  let names: string[];
  try {
    names = await readdir(join(folder, app));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
  const logs = await Promise.all(
    names
      .filter((name) => name.endsWith(SUFFIX))
      .map(async (name) => ({ name, atMs: (await stat(join(folder, app, name))).mtimeMs })),
  );
  return logs.sort((a, b) => a.atMs - b.atMs).map(({ name }) => name.slice(0, -SUFFIX.length));
}

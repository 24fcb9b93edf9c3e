/**
 * The generation floor as a file of its own, outside of the history: `{"generation":3,"transition":
 * "<64 hex>"}`. It only ever rises.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Floor, GenerationFloor } from '../../actors/coordinator/ports/history.ts';
import { historyError } from '../../machines/coordinator/history-errors.ts';
import { GENERATIONS_MAX } from '../../machines/coordinator/transition.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { isDigest } from '../../machines/kernel/ids.ts';
import { writeAtomically } from '../spore/durable.ts';
import { withFileLock } from './file-lock.sqlite.ts';
import { unavailable } from './history/content.ts';

/** Writing one small file. */
const LOCK_TIMEOUT_MS = 5_000;

const floorSchema = z.strictObject({
  generation: z.int().min(1).max(GENERATIONS_MAX),
  transition: z.string().refine(isDigest),
});

/** The floor in the file at `path`; its folder must exist. */
export const createFileFloor = (path: string): GenerationFloor => ({
  read: () => readFloor(path),
  raise: async (floor) => {
    const done = await withFileLock(path, LOCK_TIMEOUT_MS, async () => {
      const kept = await readFloor(path);
      if (kept !== null && kept.generation >= floor.generation) return;
      const { generation, transition } = floor;
      await writeAtomically(
        path,
        (file) => file.writeFile(JSON.stringify({ generation, transition })),
        { mode: 0o600 },
      );
    }).catch((cause: unknown) => {
      throw unavailable(`Raising the generation floor ${path}`, cause);
    });
    if (!done)
      throw historyError(
        'MESH_ERR_HISTORY_UNAVAILABLE',
        `Raising the generation floor ${path}: it stayed locked.`,
      );
  },
});

async function readFloor(path: string): Promise<Floor | null> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw unavailable(`Reading the generation floor ${path}`, error);
  });
  if (text === undefined) return null;
  const parsed = floorSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw historyError(
    'MESH_ERR_HISTORY_CORRUPT',
    `Reading the generation floor ${path}: it is malformed.`,
    { hint: 'Restore the file; without it a history that was rolled back would be believed.' },
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no floor, which the caller says.
    return undefined;
  }
}

import { setTimeout as wait } from 'node:timers/promises';

const DEADLINE_MS = 15_000;

/** Looks at the real world until `holds`; throws with `what` when it does not in time. */
export async function until(holds: () => boolean, what = holds.toString()): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`Waited ${DEADLINE_MS} ms for: ${what}`);
    await wait(2);
  }
}

import { setTimeout as wait } from 'node:timers/promises';

const DEADLINE_MS = 25_000;
const LOOK_MS = 20;

/** Looks until it holds; throws with `what` when it does not in time. */
export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Waited ${DEADLINE_MS} ms for: ${what}`);
    await wait(LOOK_MS);
  }
}

/** The moment at which somebody is to die. */
export const moment = (afterMs: number): Promise<void> => wait(afterMs);

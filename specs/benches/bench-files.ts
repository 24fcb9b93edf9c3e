/** The benches that are there: the files `NAME.bench.ts` of this folder. */
import { readdirSync } from 'node:fs';
import type { Bench } from './harness.ts';

const SUFFIX = '.bench.ts';

export const benchNames: readonly string[] = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length))
  .toSorted();

/** Throws an Error that names the benches there are when `name` is none of them. */
export async function loadBench(name: string): Promise<Bench> {
  if (!benchNames.includes(name))
    throw new Error(`There is no bench "${name}". There are: ${benchNames.join(', ')}.`);
  const { bench } = (await import(`./${name}${SUFFIX}`)) as { bench: Bench };
  return bench;
}

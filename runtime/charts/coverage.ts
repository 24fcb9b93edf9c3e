/**
 * How often each transition of a chart was taken, as a file:
 *
 *     {"machine": "door", "hash": "…", "transitions": [{"source": "closed", "event": "open", "index": 0, "count": 3}]}
 *
 * `hash` is of the definition that was walked. Every transition of the chart has a row, also one that
 * was never taken. A walk replaces the file; several files in a folder add up.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import { statesOf } from './chart.ts';
import type { Chart, ChartTransition } from './chart.ts';
import { chartError } from './errors.ts';

const schema = z.object({
  machine: z.string().max(256),
  hash: z.string().max(128),
  transitions: z
    .array(
      z.object({
        source: z.string(),
        event: z.string(),
        index: z.int().min(0),
        count: z.int().min(0),
      }),
    )
    .max(100_000),
});

export type Coverage = z.infer<typeof schema>;

/** Files of one folder; a project has one for each machine. */
const FILES_MAX = 500;
/** Bytes of one file: a thousand transitions take about 80 kB. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;

const transitionsOf = (chart: Chart): readonly ChartTransition[] =>
  [...statesOf(chart.root)].flatMap(({ transitions }) => transitions);

/** Changes with what the transitions are, and not with how the machine is described. */
export function chartHash(chart: Chart): string {
  const facts = transitionsOf(chart).map(({ id, targets, guard }) => [id, targets, guard ?? null]);
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex');
}

/** Of counts by the id of the chart's transition. */
export function coverageOf(chart: Chart, counts: ReadonlyMap<string, number>): Coverage {
  const transitions = transitionsOf(chart).map(({ id, source, event }) => ({
    source,
    event,
    index: Number(id.slice(id.lastIndexOf('|') + 1)),
    count: counts.get(id) ?? 0,
  }));
  return { machine: chart.name, hash: chartHash(chart), transitions };
}

/** Makes missing folders. MESH_ERR_CHART_COVERAGE. */
export async function writeCoverage(path: string, coverage: Coverage): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${JSON.stringify(coverage, undefined, 1)}\n`);
  } catch (cause) {
    throw chartError('MESH_ERR_CHART_COVERAGE', `Writing the coverage to ${path} failed.`, {
      cause,
    });
  }
}

/** MESH_ERR_CHART_COVERAGE where it is none, or cannot be read. */
export async function readCoverage(path: string): Promise<Coverage> {
  try {
    const { size } = await stat(path);
    if (size > FILE_BYTES_MAX) throw new Error(`it has ${size} bytes`);
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw chartError('MESH_ERR_CHART_COVERAGE', `Reading the coverage ${path} failed.`, { cause });
  }
}

/** What the files of a folder say of a machine of that name; one that is no coverage is left out. */
export async function coverageIn(folder: string, machine: string): Promise<Coverage[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw chartError('MESH_ERR_CHART_COVERAGE', `Reading the folder ${folder} failed.`, {
      cause: error,
    });
  });
  const files = names.filter((name) => name.endsWith('.json')).slice(0, FILES_MAX);
  const read = await Promise.allSettled(files.map((name) => readCoverage(join(folder, name))));
  return read.flatMap((one) =>
    one.status === 'fulfilled' && one.value.machine === machine ? [one.value] : [],
  );
}

/** Counts of all that are of this definition, by the id of the transition. */
export function countsOf(chart: Chart, coverages: readonly Coverage[]): Map<string, number> {
  const hash = chartHash(chart);
  const counts = new Map<string, number>();
  for (const { transitions } of coverages.filter((one) => one.hash === hash))
    for (const { source, event, index, count } of transitions) {
      const id = `${source}|${event}|${index}`;
      counts.set(id, (counts.get(id) ?? 0) + count);
    }
  return counts;
}

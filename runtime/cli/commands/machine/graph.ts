import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { findMachine } from '../../../charts/catalog.ts';
import { chartOf } from '../../../charts/chart.ts';
import type { Chart } from '../../../charts/chart.ts';
import type { Invocation, Run } from '../../command.ts';
import { cliError } from '../../errors.ts';
import { text } from '../../option-values.ts';

type Format = 'json' | 'mermaid' | 'svg';

const ENDINGS: Readonly<Record<string, Format>> = {
  '.json': 'json',
  '.mmd': 'mermaid',
  '.svg': 'svg',
};

const FORMATS: Readonly<Record<Format, (chart: Chart) => Promise<string>>> = {
  json: async (chart) => `${JSON.stringify(chart, undefined, 2)}\n`,
  mermaid: async (chart) => (await import('../../../charts/mermaid.ts')).mermaidOf(chart),
  svg: async (chart) => {
    const { layoutOf } = await import('../../../charts/layout.ts');
    const { svgOf } = await import('../../../charts/svg.ts');
    return svgOf(chart, await layoutOf(chart));
  },
};

/** Draws a state chart; no browser takes part. */
export const run: Run = async (invocation) => {
  const { args, options, out } = invocation;
  const machine = await findMachine(args['machine'] ?? '');
  const path = text(options['out']);
  const format = formatOf(invocation, path);
  const picture = await FORMATS[format](chartOf(machine));
  if (path === undefined) {
    process.stdout.write(picture);
    return;
  }
  await writeFile(path, picture).catch((cause: unknown) => {
    throw cliError('MESH_ERR_CLI_OUTPUT', `Writing the chart to ${path} failed.`, { cause });
  });
  out.data({ machine: machine.id, format, path }, () => path);
};

/** As asked, or as the file is called; JSON where only data may be printed. */
function formatOf({ options, out }: Invocation, path: string | undefined): Format {
  const asked = text(options['format']) as Format | undefined;
  if (path === undefined) return out.json ? 'json' : (asked ?? 'mermaid');
  return asked ?? ENDINGS[extname(path)] ?? 'mermaid';
}

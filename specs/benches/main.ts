/** `npm run bench -- NAME [--json] [--rounds N]` runs `specs/benches/NAME.bench.ts`. */
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { benchNames, loadBench } from './bench-files.ts';
import { ROUNDS_MIN, runBench } from './harness.ts';
import type { BenchResult, RowResult } from './harness.ts';

function roundsOf(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < ROUNDS_MIN)
    throw new InvalidArgumentError(`Give a whole number of at least ${ROUNDS_MIN}.`);
  return rounds;
}

function figure(value: number): string {
  return new Intl.NumberFormat('en', { maximumSignificantDigits: 4 }).format(value);
}

function peersOf(row: RowResult): string {
  const measured = Object.entries(row.peers).map(
    ([peer, value]) => `${peer} ${figure(value)} (ours is ${row.ratio[peer]?.toFixed(3)}×)`,
  );
  const gaps = Object.entries(row.gaps ?? {}).map(([peer, reason]) => `${peer}: gap, ${reason}`);
  return [...measured, ...gaps].join('\n');
}

function printTable(result: BenchResult): void {
  const { machine } = result;
  process.stdout.write(
    `${result.name} on ${machine.cores} × ${machine.cpu}, ${machine.memoryGib} GiB, ` +
      `Linux ${machine.kernel}, Node ${machine.node}, OpenSSL ${machine.openssl}\n`,
  );
  const table = new Table({ head: ['metric', 'unit', 'ours', 'peers'], style: { head: [] } });
  for (const row of result.rows) table.push([row.metric, row.unit, figure(row.ours), peersOf(row)]);
  process.stdout.write(`${table.toString()}\n`);
}

async function run(name: string, options: { json?: true; rounds: number }): Promise<void> {
  if (!benchNames.includes(name)) {
    process.stderr.write(`There is no bench "${name}". There are: ${benchNames.join(', ')}.\n`);
    process.exitCode = 2;
    return;
  }
  const bench = await loadBench(name);
  const onRound = (text: string): void => void process.stderr.write(`${text}\n`);
  const result = await runBench(name, bench, { rounds: options.rounds, onRound });
  if (options.json) process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  else printTable(result);
}

await new Command('bench')
  .argument('<name>', `one of ${benchNames.join(', ')}`)
  .option('--json', 'print { name, machine, rows } on stdout')
  .option('--rounds <count>', 'counted rounds of each contender', roundsOf, ROUNDS_MIN)
  .action(run)
  .parseAsync();

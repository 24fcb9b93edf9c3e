/**
 * `npm run figures -- [NAME…]` runs the benches (default: all) and writes what they measured into
 * README.md, between the marks. Rows of benches that were not run stay. On a quiet machine, please.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { benchNames, loadBench } from './bench-files.ts';
import { runBench } from './harness.ts';
import type { BenchResult, RowResult } from './harness.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const BEGIN = '<!-- figures: begin -->';
const END = '<!-- figures: end -->';
const HEAD = ['| bench | measured | ours | against | ours ÷ theirs |', '|---|---|---|---|---|'];

const figure = (value: number): string =>
  new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format(value);

function linesOf(name: string, row: RowResult): string[] {
  const start = `| ${name} | ${row.metric} | ${figure(row.ours)} ${row.unit}`;
  const peers = Object.entries(row.peers);
  if (peers.length === 0) return [`${start} | | |`];
  return peers.map(
    ([peer, value]) =>
      `${start} | ${peer}: ${figure(value)} | ${(row.ratio[peer] ?? Number.NaN).toFixed(2)} |`,
  );
}

const machineOf = ({ machine }: BenchResult): string =>
  `On ${machine.cores} × ${machine.cpu}, Linux ${machine.kernel.split('-')[0]}, ` +
  `Node ${machine.node}, OpenSSL ${machine.openssl}:`;

function write(results: readonly BenchResult[]): void {
  const readme = readFileSync(README, 'utf8');
  const [from, to] = [readme.indexOf(BEGIN) + BEGIN.length, readme.indexOf(END)];
  const renewed = new Set(results.map(({ name }) => name));
  const kept = readme
    .slice(from, to)
    .split('\n')
    .filter((line) => line.startsWith('| ') && !HEAD.includes(line))
    .filter((line) => !renewed.has(line.split(' ')[1] ?? ''));
  const lines = results.flatMap(({ name, rows }) => rows.flatMap((row) => linesOf(name, row)));
  const ordered = benchNames.flatMap((name) =>
    [...kept, ...lines].filter((line) => line.startsWith(`| ${name} |`)),
  );
  const [first] = results;
  const table = [first === undefined ? '' : machineOf(first), '', ...HEAD, ...ordered].join('\n');
  writeFileSync(README, `${readme.slice(0, from)}\n\n${table}\n\n${readme.slice(to)}`);
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : benchNames;
const results: BenchResult[] = [];
for (const name of wanted) {
  const onRound = (text: string): void => void process.stderr.write(`${name}: ${text}\n`);
  results.push(await runBench(name, await loadBench(name), { onRound }));
}
write(results);

/** `node --expose-gc contender.ts WHO FIGURE SIZE` prints one figure; a process for each round. */
import type { Figures } from './figures.ts';

const [who = '', figure = '', size = ''] = process.argv.slice(2);
const { figures } = (await import(`./${who}.ts`)) as { figures: Figures };
const take = figures[figure];
if (!take) throw new Error(`${who} has no figure "${figure}".`);
process.stdout.write(`${await take(Number(size))}\n`);
// What a peer leaves running must not hold the bench.
process.exit(0);

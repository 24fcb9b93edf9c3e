/** What a contender can be asked for; each figure is taken in a process of its own. */

/** Takes one figure, over `size` actors or events. */
export type Figure = (size: number) => Promise<number>;

/** Figures by the name that the bench asks for. */
export type Figures = { readonly [figure: string]: Figure };

/** Seconds that `work` takes. */
export async function secondsOf(work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

/** Runs `work` on a small size a few times, so that the figure is not of cold code. */
export async function afterWarmUp(figure: Figure, size: number): Promise<number> {
  const small = Math.max(1, Math.min(2000, Math.floor(size / 4)));
  for (let turn = 0; turn < 3; turn++) await figure(small);
  return figure(size);
}

/** Heap bytes that each of the `size` things adds that `make` makes and keeps. */
export async function bytesOfEach(
  size: number,
  make: (size: number) => Promise<unknown>,
): Promise<number> {
  const { gc } = globalThis;
  if (!gc) throw new Error('Run with --expose-gc.');
  const kept: unknown[] = [await make(1000)];
  await gc({ type: 'major', execution: 'async' });
  const before = process.memoryUsage().heapUsed;
  kept.push(await make(size));
  await gc({ type: 'major', execution: 'async' });
  const grown = process.memoryUsage().heapUsed - before;
  // What was made must live until here.
  if (kept.length !== 2) throw new Error('Nothing was kept.');
  return grown / size;
}

/** A promise that resolves at the `count`-th call of `note`. */
export function countdown(count: number): { note: () => void; reached: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let left = count;
  const note = (): void => {
    if (--left === 0) resolve();
  };
  return { note, reached: promise };
}

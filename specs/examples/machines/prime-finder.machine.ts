import { assign, setup } from 'xstate';

const isPrime = (n: number): boolean => {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return n > 1;
};

const primesBelow = (limit: number): number => {
  let found = 0;
  for (let n = 2; n < limit; n++) if (isPrime(n)) found++;
  return found;
};

/** Computes without a pause, which would stop everything else in its thread. */
export const primeFinderMachine = setup({
  types: {} as {
    context: { found: number };
    events: { type: 'count'; limit: number } | { type: 'hang' };
  },
}).createMachine({
  id: 'prime-finder',
  context: { found: 0 },
  on: {
    count: { actions: assign({ found: ({ event }) => primesBelow(event.limit) }) },
    hang: {
      actions: () => {
        for (;;);
      },
    },
  },
});

import type { RunResult } from './world.ts';

/** Lines of a trace that are shown unless all of it was asked for. */
export const TRACE_SHOWN = 60;

/** What a failing seed did against the rules, what came before, and how to run it again. */
export function failureText(
  { violations, trace, seed }: RunResult,
  { peers, isTraced }: { readonly peers: number; readonly isTraced: boolean },
): string {
  const lines = (texts: readonly string[]): string => texts.map((one) => `  ${one}\n`).join('');
  const shown = isTraced ? trace : trace.slice(-TRACE_SHOWN);
  return (
    `\nSeed ${seed} broke a rule:\n${lines(violations)}` +
    `The last of its trace:\n${lines(shown)}` +
    'Run it again, with all of the trace:\n' +
    `  npm run sim -- --peers ${peers} --first-seed ${seed} --seeds 1 --trace\n`
  );
}

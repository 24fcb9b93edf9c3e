/**
 * What a node says in public of its apps, from what the fabric holds: deployments that ended, crash
 * loops, and their end. Only names, versions, numbers and error codes: messages and logs of programs
 * may hold anything, and a public message cannot be taken back.
 */
import type { AppView } from '../../../actors/workload/ports/fabric.ts';
import type { Deployment, SlotReport } from '../../../machines/workload/plan.ts';

/** Something to say, once. */
export interface News {
  /** The same for the same event, also after a restart of the program. */
  readonly key: string;
  readonly text: string;
}

/** Deployments that ended longer ago are history and not news. Milliseconds. */
export const NEWS_AGE_MAX_MS = 60 * 60_000;
/** A slot in a crash loop is news again after so long. Milliseconds. */
const LOOP_REPEAT_MS = 60 * 60_000;
const DIGEST_SHOWN = 12;

/** Slots in a crash loop, by the key that `slotOf` makes. */
export type Looping = ReadonlySet<string>;

/** News of one app, and which of its slots are in a crash loop now. */
export function newsOf(
  view: AppView,
  { nowMs, looping }: { readonly nowMs: number; readonly looping: Looping },
): { readonly news: readonly News[]; readonly looping: Looping } {
  const ended = view.deployments
    .filter(({ endedAtMs }) => endedAtMs !== null && endedAtMs > nowMs - NEWS_AGE_MAX_MS)
    .toReversed()
    .flatMap((deployment) => newsOfDeployment(deployment, view));
  const loopingNow = view.reports.filter(({ state }) => state === 'crash_looping');
  const recovered = view.reports.filter(
    (report) => report.state === 'serving' && looping.has(slotOf(report)),
  );
  return {
    news: [
      ...ended,
      ...loopingNow.map((report) => newsOfLoop(report, nowMs)),
      ...recovered.map((report) => newsOfRecovery(report, nowMs)),
    ],
    // A slot between two starts is neither looping nor serving: it stays what it was.
    looping: new Set([
      ...view.reports
        .filter((report) => report.state !== 'serving' && looping.has(slotOf(report)))
        .map(slotOf),
      ...loopingNow.map(slotOf),
    ]),
  };
}

const slotOf = ({ app, node, ordinal }: SlotReport): string => `${app}/${node}/${ordinal}`;

function newsOfDeployment(deployment: Deployment, view: AppView): News[] {
  const { app, version, digest, generation, outcome, reason } = deployment;
  const what = `${app} ${version} (${digest.slice(0, DIGEST_SHOWN)}), generation ${generation}`;
  const why = reason === null ? '' : `: ${reason.code}`;
  const serving = view.reports.filter(({ state }) => state === 'serving').length;
  const texts: Partial<Record<Deployment['outcome'], string>> = {
    succeeded: `deployed ${what}, ${serving} of ${view.assignments.length} serve`,
    reverted: `reverted ${what}${why}; what served before still serves`,
    failed: `failed to deploy ${what}${why}; it does not run`,
  };
  const text = texts[outcome];
  return text === undefined ? [] : [{ key: `deployment ${app} ${generation} ${outcome}`, text }];
}

function newsOfLoop(report: SlotReport, nowMs: number): News {
  const { app, node, reason, restarts } = report;
  const hour = Math.floor(nowMs / LOOP_REPEAT_MS);
  const why = reason === null ? '' : `: ${reason.code}`;
  return {
    key: `loop ${slotOf(report)} ${hour}`,
    text: `${app} is in a crash loop on ${node}, restarted ${restarts} times${why}`,
  };
}

const newsOfRecovery = (report: SlotReport, nowMs: number): News => ({
  key: `recovery ${slotOf(report)} ${nowMs}`,
  text: `${report.app} serves again on ${report.node} after its crash loop`,
});

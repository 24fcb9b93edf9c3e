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
/** A crash loop is news again after so long. Milliseconds. */
const LOOP_REPEAT_MS = 60 * 60_000;
const DIGEST_SHOWN = 12;

/** Apps in a crash loop, each on one node, by the key that `placeOf` makes. */
export type Looping = ReadonlySet<string>;

/** News of one app, and where it is in a crash loop now. */
export function newsOf(
  view: AppView,
  { nowMs, looping }: { readonly nowMs: number; readonly looping: Looping },
): { readonly news: readonly News[]; readonly looping: Looping } {
  const ended = view.deployments
    .filter(({ endedAtMs }) => endedAtMs !== null && endedAtMs > nowMs - NEWS_AGE_MAX_MS)
    .toReversed()
    .flatMap((deployment) => newsOfDeployment(deployment, view));
  const places = Map.groupBy(view.reports, placeOf);
  const loops = [...places.values()].flatMap(
    (reports) => reports.find(({ state }) => state === 'crash_looping') ?? [],
  );
  const recovered = [...places].flatMap(([place, reports]) =>
    looping.has(place) && reports.every(({ state }) => state === 'serving')
      ? reports.slice(0, 1)
      : [],
  );
  const recoveredPlaces = new Set(recovered.map(placeOf));
  return {
    news: [
      ...ended,
      ...loops.map((report) => newsOfLoop(report, nowMs)),
      ...recovered.map((report) => newsOfRecovery(report, nowMs)),
    ],
    // Between two starts it is neither looping nor serving: it stays what it was.
    looping: new Set([
      ...[...looping].filter((place) => places.has(place) && !recoveredPlaces.has(place)),
      ...loops.map(placeOf),
    ]),
  };
}

/** Several slots of an app on one node share a cause, and are one piece of news. */
const placeOf = ({ app, node }: SlotReport): string => `${app}/${node}`;

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
    key: `loop ${placeOf(report)} ${hour}`,
    text: `${app} is in a crash loop on ${node}, restarted ${restarts} times${why}`,
  };
}

const newsOfRecovery = (report: SlotReport, nowMs: number): News => ({
  key: `recovery ${placeOf(report)} ${nowMs}`,
  text: `${report.app} serves again on ${report.node} after its crash loop`,
});

import type { Chart } from '../../charts/chart.ts';
import { chartHash, countsOf, coverageIn, coverageOf } from '../../charts/coverage.ts';
import type { CoverageView } from '../ui/views.types.ts';

/** What the coverage files of a folder say of a chart. MESH_ERR_CHART_COVERAGE. */
export async function coverageView(
  chart: Chart,
  folder: string | undefined,
): Promise<CoverageView> {
  const files = folder === undefined ? [] : await coverageIn(folder, chart.name);
  const hash = chartHash(chart);
  const isCurrent = files.some((file) => file.hash === hash);
  if (files.length === 0) {
    const hint = `Run \`mesh machine test ${chart.name} --coverage\`, or give \`modelTests\` a coverage file.`;
    return { available: false, why: `No run has said what it covers of ${chart.name}.`, hint };
  }
  const { transitions } = isCurrent
    ? coverageOf(chart, countsOf(chart, files))
    : (files[0] ?? coverageOf(chart, new Map()));
  return {
    available: true,
    machine: chart.name,
    isCurrent,
    covered: transitions.filter(({ count }) => count > 0).length,
    total: transitions.length,
    transitions: transitions.map(({ source, event, index, count }) => ({
      id: `${source}|${event}|${index}`,
      count,
    })),
  };
}

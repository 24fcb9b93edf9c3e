import { useEffect, useState } from 'preact/hooks';
import { charts, chosenMachine, coverages, go, linkTo, machineRows } from '../../store.ts';
import { counted } from '../../names.ts';
import { loadChart, loadCoverage } from '../../ask.ts';
import type { MachineRow } from '../../wire.types.ts';
import { ChartFrame } from '../chart/chart-frame.tsx';
import { Empty, Hint } from '../empty.tsx';
import { Icon } from '../icon.tsx';

type Painting = 'standing' | 'coverage';

/** Only the deepest states: an actor in `up.healthy` also stands in `up`, which says nothing new. */
const deepest = ({ standing }: MachineRow): [string, number][] =>
  Object.entries(standing).filter(
    ([state]) => !Object.keys(standing).some((other) => other.startsWith(`${state}.`)),
  );

function Share({ value }: { readonly value: number }) {
  return (
    <span class="share">
      <span class="track" aria-hidden="true">
        <span style={{ width: `${value * 100}%` }} />
      </span>
      {Math.floor(value * 100)} %
    </span>
  );
}

/** Of a machine's transitions, those that were taken; nothing where nobody counted. */
function Covered({ machine }: { readonly machine: string }) {
  const found = coverages.value.get(machine);
  if (!found?.available) return <span class="soft">–</span>;
  return <Share value={found.total === 0 ? 1 : found.covered / found.total} />;
}

function Table({
  rows,
  chosen,
}: {
  readonly rows: readonly MachineRow[];
  readonly chosen: string;
}) {
  return (
    <div class="scrolled" tabIndex={0} role="region" aria-label="Machines, can be scrolled">
      <table>
        <thead>
          <tr>
            <th scope="col">machine</th>
            <th scope="col" class="count">
              actors
            </th>
            <th scope="col">standing in</th>
            <th scope="col">coverage</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key} class={row.key === chosen ? 'selected' : ''}>
              <th scope="row">
                <a href={linkTo('machines', row.key)} aria-current={row.key === chosen}>
                  {row.key}
                </a>
              </th>
              <td class="count">{row.actors}</td>
              <td>
                {deepest(row).map(([state, count]) => (
                  <span class="stand" key={state}>
                    {state} <b>{count}</b>
                  </span>
                ))}
              </td>
              <td>
                <Covered machine={row.key} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function CoverageWords({ machine }: { readonly machine: string }) {
  const found = coverages.value.get(machine);
  if (found === undefined) return <p class="then">Nothing is known of its coverage.</p>;
  if (!found.available)
    return (
      <p class="then">
        <b>No coverage yet.</b> {found.why} <Hint text={found.hint} />
      </p>
    );
  const missed = found.total - found.covered;
  return (
    <p class="then">
      <b>
        {found.covered} of {found.total}
      </b>{' '}
      transitions were taken by specs.{' '}
      {missed === 0 ? 'None is missing.' : `${missed} never: dashed, with a cross.`}
      {!found.isCurrent && ' It was counted on an older chart.'}
    </p>
  );
}

interface ChosenProps {
  readonly row: MachineRow;
  readonly painting: Painting;
  readonly onPaint: (painting: Painting) => void;
}

function Bar({ row, painting, onPaint }: ChosenProps) {
  return (
    <div class="bar">
      <h2>{row.key}</h2>
      <span class="soft tally">{counted(row.actors, 'actor')}</span>
      <div class="tabs push" role="group" aria-label="What the chart shows">
        <button
          type="button"
          aria-pressed={painting === 'standing'}
          onClick={() => onPaint('standing')}
        >
          Who stands where
        </button>
        <button
          type="button"
          aria-pressed={painting === 'coverage'}
          onClick={() => onPaint('coverage')}
        >
          Coverage
        </button>
      </div>
      <button
        type="button"
        onClick={() => go({ page: 'actors', subject: null, filter: `machine:${row.key}` })}
      >
        <Icon name="search" />
        Its actors
      </button>
    </div>
  );
}

function Chosen(props: ChosenProps) {
  const { row, painting } = props;
  const drawn = charts.value.get(row.key);
  const found = coverages.value.get(row.key);
  useEffect(() => {
    void loadChart(row.key);
  }, [row.key]);
  const counted = found?.available
    ? new Map(found.transitions.map(({ id, count }) => [id, count] as const))
    : undefined;
  return (
    <section class="panel view" aria-label="State chart">
      <Bar {...props} />
      {drawn ? (
        <ChartFrame
          drawn={drawn}
          light={
            painting === 'standing'
              ? { active: Object.keys(row.standing), taken: [], counts: new Map(deepest(row)) }
              : { active: [], taken: [], coverage: counted }
          }
        >
          {painting === 'coverage' && <CoverageWords machine={row.key} />}
        </ChartFrame>
      ) : (
        <div class="frame">
          <Empty title="Drawing its chart…" />
        </div>
      )}
    </section>
  );
}

/** Every definition, how many actors stand in each of its states, and what specs took of it. */
export function MachineList() {
  const [painting, setPainting] = useState<Painting>('standing');
  const rows = machineRows.value;
  const chosen = chosenMachine.value;
  const keys = rows?.map(({ key }) => key).join(' ') ?? '';
  useEffect(() => {
    for (const key of keys.split(' ').filter(Boolean)) void loadCoverage(key);
  }, [keys]);
  if (!rows || !chosen)
    return (
      <section class="panel" aria-label="Machines">
        <Empty title={rows ? 'No machine runs' : 'Asking for the machines…'} />
      </section>
    );
  return (
    <>
      <section class="panel" aria-label="Machines">
        <div class="bar">
          <h2>Machines</h2>
          <span class="soft tally">{counted(rows.length, 'definition')}</span>
        </div>
        <Table rows={rows} chosen={chosen.key} />
      </section>
      <Chosen row={chosen} painting={painting} onPaint={setPainting} />
    </>
  );
}

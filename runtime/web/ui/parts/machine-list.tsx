import { useEffect } from 'preact/hooks';
import { charts, go, loadChart, machines, route } from '../store.ts';
import { ChartPicture } from './chart-picture.tsx';

const NOTHING: ReadonlyMap<string, boolean> = new Map();

/** Every definition, and how many actors stand in each of its states. */
export function MachineList() {
  const { subject } = route.value;
  const chosen = machines.value.find(({ key }) => key === subject) ?? machines.value[0];
  useEffect(() => {
    if (chosen) void loadChart(chosen.key);
  }, [chosen?.key]);
  const drawn = chosen && charts.value.get(chosen.key);
  return (
    <>
      <section class="panel" aria-label="Machines">
        <table>
          <thead>
            <tr>
              <th scope="col">machine</th>
              <th scope="col">actors</th>
              <th scope="col">standing in</th>
            </tr>
          </thead>
          <tbody>
            {machines.value.map(({ key, actors, standing }) => (
              <tr key={key} class={key === chosen?.key ? 'selected' : ''}>
                <td>
                  <button type="button" class="link" onClick={() => go({ subject: key })}>
                    {key}
                  </button>
                </td>
                <td>{actors}</td>
                <td class="soft">
                  {Object.entries(standing)
                    .map(([state, count]) => `${state} ${count}`)
                    .join(', ')}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section class="panel view" aria-label="State chart">
        <div class="canvas">
          {drawn && (
            <ChartPicture
              drawn={drawn}
              active={Object.keys(chosen.standing)}
              taken={[]}
              accepts={NOTHING}
            />
          )}
        </div>
      </section>
    </>
  );
}

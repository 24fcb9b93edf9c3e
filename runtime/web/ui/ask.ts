/** The questions that are asked once, and the changes: each result that went wrong is a notice. */
import { charts, coverages, machines, route, say } from './store.ts';
import type { DrawnChart } from './store.ts';
import type { CoverageView, OpenedRecording } from './views.types.ts';
import type { MachineRow } from './wire.types.ts';

/** What is asked of a recording says of which. */
export const ofRecording = (): string => {
  const { recording: id } = route.peek();
  return id === null ? '' : `?recording=${encodeURIComponent(id)}`;
};

/** One layout for each definition; changes of state only change classes. */
export async function loadChart(key: string): Promise<void> {
  if (charts.value.has(key)) return;
  const drawn = await fetchJson<DrawnChart>(`/api/machines/${encodeURIComponent(key)}`);
  if (drawn) charts.value = new Map([...charts.value, [key, drawn]]);
}

/** What specs and walks have taken of that machine. */
export async function loadCoverage(key: string): Promise<void> {
  const path = `/api/machines/${encodeURIComponent(key)}/coverage`;
  const response = await fetch(`${path}${ofRecording()}`);
  // A server that knows of no coverage has none, which is what the page then says.
  if (!response.ok) return;
  const found = (await response.json()) as CoverageView;
  coverages.value = new Map([...coverages.value, [key, found]]);
}

/** Every definition, with who stands where now. */
export async function loadMachines(): Promise<void> {
  machines.value = (await fetchJson<MachineRow[]>('/api/machines')) ?? machines.value;
}

async function fetchJson<Body>(path: string): Promise<Body | undefined> {
  const response = await fetch(`${path}${ofRecording()}`);
  if (response.ok) return (await response.json()) as Body;
  say(`${path}: ${await refusalOf(response)}`, true);
  return undefined;
}

async function refusalOf(response: Response): Promise<string> {
  const status = `${response.status} ${response.statusText}`;
  try {
    const { error } = (await response.json()) as { error?: { code?: string; message?: string } };
    return error?.message === undefined ? status : `${error.message} (${error.code})`;
  } catch {
    // No JSON: the status is all that it says.
    return status;
  }
}

/** Puts an app back to what served before. The result is a notice. */
export async function rollBack(app: string, generation?: number): Promise<void> {
  const response = await fetch(`/api/workloads/${encodeURIComponent(app)}/rollback`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(generation === undefined ? {} : { generation }),
  });
  if (!response.ok) {
    say(`Rolling ${app} back failed: ${await refusalOf(response)}`, true);
    return;
  }
  const plan = (await response.json()) as { generation: number };
  say(`${app} is being rolled back, as generation ${plan.generation}.`);
}

/** Gives a recording to the server, which then shows it as it shows what runs. */
export async function openRecording(file: Blob): Promise<string | undefined> {
  const response = await fetch('/api/recordings', { method: 'POST', body: file });
  if (response.ok) return ((await response.json()) as OpenedRecording).id;
  say(`Opening the recording failed: ${await refusalOf(response)}`, true);
  return undefined;
}

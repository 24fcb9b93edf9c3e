/** A chart as a Mermaid state diagram, which Git hosts and editors draw by themselves. */
import type { Chart, ChartState, ChartTransition } from './chart.ts';
import { statesOf } from './chart.ts';

/** Text of a `stateDiagram-v2`, newline at its end. */
export function mermaidOf({ name, root }: Chart): string {
  const transitions = [...statesOf(root)].flatMap((state) => state.transitions);
  const lines = [
    `---`,
    `title: ${name}`,
    `---`,
    'stateDiagram-v2',
    ...blockOf(root).map((line) => `  ${line}`),
    ...transitions.flatMap(arrowsOf).map((line) => `  ${line}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** Mermaid splits ids at dots; the root gets the one name that no path has. */
const aliasOf = (id: string): string => (id === '' ? 'root_' : id.replaceAll('.', '__'));

/** Statements end at a semicolon, and a hash starts an entity. */
const escaped = (text: string): string => text.replace(/[#;]/g, (one) => `#${one.charCodeAt(0)};`);

function blockOf(state: ChartState): string[] {
  const head = `state ${JSON.stringify(escaped(state.key))} as ${aliasOf(state.id)}`;
  const inside = state.states.flatMap((child, index) => [
    ...(state.type === 'parallel' && index > 0 ? ['--'] : []),
    ...blockOf(child),
    ...(child.type === 'final' ? [`${aliasOf(child.id)} --> [*]`] : []),
  ]);
  if (state.initial !== undefined) inside.unshift(`[*] --> ${aliasOf(state.initial)}`);
  if (inside.length === 0)
    return [head, ...notesOf(state).map((note) => `${aliasOf(state.id)} : ${escaped(note)}`)];
  return [`${head} {`, ...inside.map((line) => `  ${line}`), '}'];
}

/** What a state does by itself, a line each. */
export function notesOf(state: ChartState): string[] {
  return [
    ...state.entry.map((action) => `entry / ${action}`),
    ...state.exit.map((action) => `exit / ${action}`),
    ...state.invokes.map((actor) => `invoke ${actor}`),
    ...state.transitions.filter(({ targets }) => targets.length === 0).map(effectOf),
  ];
}

const effectOf = ({ label, actions }: ChartTransition): string =>
  actions.length === 0 ? label : `${label} / ${actions.join(', ')}`;

const arrowsOf = ({ source, targets, label }: ChartTransition): string[] =>
  targets.map((target) => `${aliasOf(source)} --> ${aliasOf(target)} : ${escaped(label)}`);

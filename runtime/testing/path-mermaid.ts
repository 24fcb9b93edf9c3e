/** A way through a machine as a Mermaid state diagram, for a failure that somebody has to understand. */

/** One step: the event, and the state that it should lead to. */
export interface PathStep {
  readonly event: string;
  readonly to: string;
}

/** The last step is the one that failed. */
export function pathMermaid(start: string, steps: readonly PathStep[]): string {
  const names = [...new Set([start, ...steps.map(({ to }) => to)])];
  const alias = (name: string): string => `s${names.indexOf(name)}`;
  const arrows = steps.map(({ event, to }, index) => {
    const from = steps[index - 1]?.to ?? start;
    const failed = index === steps.length - 1 ? ' ✗' : '';
    return `  ${alias(from)} --> ${alias(to)} : ${index + 1} ${escaped(event)}${failed}`;
  });
  return [
    'stateDiagram-v2',
    ...names.map((name) => `  state ${JSON.stringify(escaped(name))} as ${alias(name)}`),
    `  [*] --> ${alias(start)}`,
    ...arrows,
    '',
  ].join('\n');
}

/** Statements end at a semicolon, and a hash starts an entity. */
const escaped = (text: string): string => text.replace(/[#;]/g, (one) => `#${one.charCodeAt(0)};`);

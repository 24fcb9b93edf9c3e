/** Shell blocks as steps: what is typed, and what is said to come back. */
import type { Block } from './markdown.ts';

export interface Step {
  readonly command: string;
  /** Output with `…` for what differs from run to run; `undefined` where nothing is promised. */
  readonly expected: string | undefined;
  readonly line: number;
}

/** Lines ending in a backslash go on in the next. */
const isContinued = (line: string): boolean => line.endsWith('\\');

/** `sh`: each line is a command. `console`: `$ ` begins a command, what follows is its output. */
export function stepsOf(block: Block): Step[] {
  const steps: { command: string; expected: string[]; line: number }[] = [];
  let isOpen = false;
  for (const [index, line] of block.text.split('\n').entries()) {
    const last = steps.at(-1);
    const at = block.line + 1 + index;
    if (isOpen && last) {
      last.command += `\n${line}`;
      isOpen = isContinued(line);
    } else if (block.language === 'sh' || line.startsWith('$ ')) {
      const command = line.replace(/^\$ /, '');
      if (command.trim() === '' || command.startsWith('#')) continue;
      steps.push({ command, expected: [], line: at });
      isOpen = isContinued(command);
    } else if (last) last.expected.push(line);
    else throw new Error(`Line ${at}: output stands before any command.`);
  }
  return steps.map(({ command, expected, line }) => ({
    command,
    expected: block.language === 'sh' ? undefined : expected.join('\n'),
    line,
  }));
}

const escapeForPattern = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

const linesOf = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd().replaceAll(/ {2,}/g, '  '));

/**
 * `…` alone on a line stands for any lines, also none; within a line for any text. Columns are as wide
 * as what stands in them, so two spaces match any more.
 */
export function matchesOutput(expected: string, actual: string): boolean {
  const pattern = linesOf(expected)
    .map((line) =>
      line.trim() === '…'
        ? '(?:[^\\n]*\\n)*?'
        : `${line.split('…').map(escapeForPattern).join('[^\\n]*?')}\\n`,
    )
    .join('');
  return new RegExp(`^${pattern}$`).test(`${linesOf(actual).join('\n')}\n`);
}

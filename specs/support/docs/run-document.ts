/** Runs a document as a newcomer would: from top to bottom, in an empty folder. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { blocksOf } from './markdown.ts';
import type { Block } from './markdown.ts';
import { Shell } from './shell.ts';
import type { ShellOptions } from './shell.ts';
import { matchesOutput, stepsOf } from './transcript.ts';
import type { Step } from './transcript.ts';

const COMMAND_DEADLINE_MS = 90_000;

export interface DocumentRun extends ShellOptions {
  /** Replaced in commands and expected output, such as a port that is taken here. */
  readonly replace?: Readonly<Record<string, string>>;
}

/** The faults found; empty when everything happened as the document says. */
export async function runDocument(markdown: string, options: DocumentRun): Promise<string[]> {
  const faults: string[] = [];
  await using shell = new Shell(options);
  for (const block of blocksOf(replaceAll(markdown, options.replace ?? {}))) {
    // The newcomer has stopped here already: what follows would only echo the first fault.
    if (faults.length > 0) break;
    if (block.options['norun'] !== undefined) continue;
    if (block.language === 'sh' || block.language === 'console')
      faults.push(...(await runBlock(shell, block)));
    else if (block.path !== undefined && block.language !== 'ts')
      await writeBlock(join(options.cwd, block.path), block);
  }
  return faults;
}

function replaceAll(text: string, table: Readonly<Record<string, string>>): string {
  let replaced = text;
  for (const [from, to] of Object.entries(table)) replaced = replaced.replaceAll(from, to);
  return replaced;
}

async function writeBlock(path: string, block: Block): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${block.text}\n`);
}

async function runBlock(shell: Shell, block: Block): Promise<string[]> {
  const faults: string[] = [];
  for (const step of stepsOf(block)) {
    const fault = await runStep(shell, step, block.options);
    if (fault !== undefined) faults.push(`line ${step.line}: ${step.command}\n${fault}`);
  }
  return faults;
}

async function runStep(
  shell: Shell,
  step: Step,
  options: Block['options'],
): Promise<string | undefined> {
  const ready = options['background'];
  try {
    if (ready !== undefined) {
      await shell.start(step.command, new RegExp(ready), COMMAND_DEADLINE_MS);
      return undefined;
    }
    const { output, exitCode } = await shell.run(step.command, COMMAND_DEADLINE_MS);
    if (exitCode !== Number(options['exit'] ?? 0)) return `exit code ${exitCode}\n${output}`;
    return step.expected === undefined || matchesOutput(step.expected, output)
      ? undefined
      : `expected:\n${step.expected}\nfound:\n${output}`;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

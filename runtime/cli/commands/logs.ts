import { createLogFiles } from '../../adapters/log-files.fs.ts';
import { systemClock } from '../../adapters/clock.system.ts';
import { isName } from '../../../machines/kernel/ids.ts';
import { connectControl } from '../../control/client.ts';
import { homePaths } from '../../home.ts';
import type { Invocation, Run } from '../command.ts';
import { cliError } from '../errors.ts';
import { EXIT } from '../exit-code.ts';
import type { ExitCode } from '../exit-code.ts';
import { logNames } from '../log-names.ts';
import { count, text } from '../option-values.ts';
import { paint } from '../output.ts';
import { onSignals } from '../signals.ts';

const LINES_DEFAULT = 50;

interface Line {
  readonly instance: string;
  readonly line: string;
}

/** Reads the files of the state folder, so that the logs of a mesh that ended are there, too. */
export const run: Run = async (invocation) => {
  const { args, options, home } = invocation;
  const app = args['app'] ?? '';
  if (!isName(app)) throw cliError('MESH_ERR_CLI_USAGE', `"${app}" is not the name of an app.`);
  const lines = count(invocation, 'lines', { min: 0, max: 100_000 }) ?? LINES_DEFAULT;
  const only = text(options['instance']);
  const folder = homePaths(home).logs;
  const names = await logNames(folder, app);
  if (names.length === 0) await connectControl(home).status(app);
  const files = createLogFiles({ folder, clock: systemClock });
  const isWanted = (instance: string): boolean => only === undefined || only === instance;
  if (options['follow'] === true) return followLines(invocation, app, { lines, isWanted });
  const all: Line[] = [];
  for (const instance of names.filter(isWanted))
    for (const line of await files.tail(app, instance, lines)) all.push({ instance, line });
  if (all.length === 0) invocation.out.note(`No instance of ${app} has written a line.`);
  if (all.length > 0 || invocation.out.json)
    invocation.out.data(all, () => all.map(lineText).join('\n'));
  return EXIT.ok;
};

async function followLines(
  { out, home }: Invocation,
  app: string,
  { lines, isWanted }: { readonly lines: number; isWanted: (instance: string) => boolean },
): Promise<ExitCode> {
  const signals = onSignals();
  const files = createLogFiles({ folder: homePaths(home).logs, clock: systemClock });
  for await (const line of files.follow(app, { signal: signals.signal, lines }))
    if (isWanted(line.instance)) out.data(line, () => lineText(line));
  signals.release();
  return signals.exitCode();
}

const lineText = ({ instance, line }: Line): string =>
  `${paint(process.stdout, 'cyan', instance)} ${line}`;

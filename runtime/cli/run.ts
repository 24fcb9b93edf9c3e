import { CommanderError } from 'commander';
import { cliError } from './errors.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { Output, endWithReader } from './output.ts';
import type { ProgressMode } from './output.ts';
import { buildProgram } from './program.ts';

/** Runs one command line, prints what there is to print, and resolves to the exit code. */
export async function runCli(argv: readonly string[]): Promise<ExitCode> {
  endWithReader();
  // The options are not parsed when parsing fails, and the error has to be in the form asked for.
  const end = argv.indexOf('--');
  const options = end === -1 ? argv : argv.slice(0, end);
  let out = new Output({ json: options.includes('--json'), progress: 'auto' });
  let exitCode: ExitCode = EXIT.ok;
  const program = buildProgram({
    json: out.json,
    onResult: (result) => {
      exitCode = result;
    },
    onOutput: (json: boolean, progress: ProgressMode) => (out = new Output({ json, progress })),
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok;
    const error = thrown instanceof CommanderError ? usageError(thrown) : thrown;
    out.error(error);
    return exitCodeOf(error);
  }
}

function usageError(thrown: CommanderError): Error {
  const message = thrown.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return cliError(
    'MESH_ERR_CLI_USAGE',
    message === '(outputHelp)' ? 'A command is missing.' : message,
  );
}

import { Command, Option } from 'commander';
import type { Invocation, CommandSpec } from './command.ts';
import { COMMANDS, GLOBAL_OPTIONS, GROUPS } from './command-table.ts';
import { EXIT } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import type { Output, ProgressMode } from './output.ts';
import { findHome, loadSettings } from '../config.ts';
import { VERSION } from '../version.ts';

export interface ProgramOptions {
  /** Errors are printed as JSON, so commander prints none. */
  readonly json: boolean;
  readonly onResult: (exitCode: ExitCode) => void;
  readonly onOutput: (json: boolean, progress: ProgressMode) => Output;
}

/** The table of commands as commander understands it. */
export function buildProgram(options: ProgramOptions): Command {
  const program = new Command('mesh')
    .description(
      'Run signed services on your own machines: supervised, blue/green, behind an edge.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  for (const option of GLOBAL_OPTIONS) program.addOption(optionOf(option));
  for (const [name, summary] of Object.entries(GROUPS))
    program.addCommand(silent(new Command(name).description(summary)));
  for (const spec of COMMANDS) addCommand(program, spec, options);
  program.addHelpText(
    'after',
    '\nEvery command takes --help. Errors have codes: mesh explain CODE.',
  );
  return program;
}

function addCommand(program: Command, spec: CommandSpec, options: ProgramOptions): void {
  const words = spec.name.split(' ');
  const parent =
    words.length > 1 ? program.commands.find((known) => known.name() === words[0]) : program;
  const command = silent(new Command(words.at(-1)).description(spec.summary));
  for (const { name, summary } of spec.args ?? []) command.argument(name, summary);
  for (const option of spec.options ?? []) command.addOption(optionOf(option));
  if (spec.examples !== undefined)
    command.addHelpText(
      'after',
      `\nExamples:\n${spec.examples.map((line) => `  ${line}`).join('\n')}`,
    );
  command.action(async () => {
    const all = command.optsWithGlobals<Invocation['options']>();
    const out = options.onOutput(all['json'] === true, (all['progress'] ?? 'auto') as ProgressMode);
    const flags = { ...all };
    const { run } = await spec.load();
    const exitCode = await run({
      args: Object.fromEntries(
        command.registeredArguments.flatMap((argument, index) => {
          const value = command.args[index];
          return value === undefined ? [] : [[argument.name(), value]];
        }),
      ),
      options: all,
      out,
      home: await findHome(flags),
      settings: () => loadSettings(flags),
    });
    options.onResult(exitCode ?? EXIT.ok);
  });
  (parent ?? program).addCommand(command);
}

const silent = (command: Command): Command =>
  command
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });

function optionOf(spec: (typeof GLOBAL_OPTIONS)[number]): Option {
  const option = new Option(spec.flags, spec.summary);
  if (spec.choices !== undefined) option.choices(spec.choices);
  if (spec.isRequired === true) option.makeOptionMandatory();
  return option;
}

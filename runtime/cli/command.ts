/** A command as data, and what it is given when it runs. */
import type { Settings } from '../config.ts';
import type { ExitCode } from './exit-code.ts';
import type { Output } from './output.ts';

export interface OptionSpec {
  /** As commander takes it: `-f, --follow`, `--min <count>`. */
  readonly flags: string;
  readonly summary: string;
  readonly choices?: readonly string[];
  readonly isRequired?: true;
}

export interface CommandSpec {
  /** Words: `ps`, `trust add`. */
  readonly name: string;
  /** As commander takes them: `<app>`, `[code]`. */
  readonly args?: readonly { readonly name: string; readonly summary: string }[];
  readonly summary: string;
  readonly options?: readonly OptionSpec[];
  /** Shown below the help. */
  readonly examples?: readonly string[];
  /** Loads the module only when the command runs, so that each pays for itself alone. */
  readonly load: () => Promise<{ readonly run: Run }>;
}

export type OptionValue = string | boolean | undefined;

export interface Invocation {
  /** Positional arguments by their name; absent ones are missing. */
  readonly args: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly out: Output;
  /** Absolute path of the state folder. */
  readonly home: string;
  /** All settings; reads the project file. */
  settings(): Promise<Settings>;
}

/** Resolves to an exit code, by default 0; what it throws is printed by its caller. */
export type Run = (invocation: Invocation) => Promise<ExitCode | void>;

import { cliError } from './errors.ts';
import type { Invocation, OptionValue } from './command.ts';

/** A whole number of an option, or undefined where it was not given. MESH_ERR_CLI_USAGE. */
export function count(
  { options }: Pick<Invocation, 'options'>,
  name: string,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  if (number >= range.min && number <= range.max) return number;
  throw cliError(
    'MESH_ERR_CLI_USAGE',
    `--${kebab(name)} takes a whole number from ${String(range.min)} to ${String(range.max)}, ` +
      `not "${String(value)}".`,
  );
}

/** The text of an option, or undefined where it was not given. */
export const text = (value: OptionValue): string | undefined =>
  typeof value === 'string' ? value : undefined;

const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

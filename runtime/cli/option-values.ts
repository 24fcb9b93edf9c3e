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

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
};

/**
 * A time of an option as `30s`, `5min`, `2h` or `500ms`, in milliseconds; a bare number is seconds.
 * Undefined where it was not given. MESH_ERR_CLI_USAGE.
 */
export function milliseconds(
  { options }: Pick<Invocation, 'options'>,
  name: string,
  max: number,
): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  const [, number = '', unit = 's'] = /^(\d{1,9})(ms|s|min|h)?$/.exec(String(value)) ?? [];
  const ms = number === '' ? Number.NaN : Number(number) * (UNITS[unit] ?? Number.NaN);
  if (ms > 0 && ms <= max) return ms;
  throw cliError(
    'MESH_ERR_CLI_USAGE',
    `--${kebab(name)} takes a time such as 30s, 5min or 2h, not "${String(value)}".`,
  );
}

/** The text of an option, or undefined where it was not given. */
export const text = (value: OptionValue): string | undefined =>
  typeof value === 'string' ? value : undefined;

const kebab = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

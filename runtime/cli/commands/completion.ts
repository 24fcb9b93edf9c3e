import type { CommandSpec, Run } from '../command.ts';
import { COMMANDS, GLOBAL_OPTIONS, GROUPS } from '../command-table.ts';
import { cliError } from '../errors.ts';

/** Prints a script that the shell reads; made from the table of commands. */
export const run: Run = async ({ args, out }) => {
  const shell = args['shell'] ?? '';
  const make = SCRIPTS[shell];
  if (make === undefined)
    throw cliError(
      'MESH_ERR_CLI_USAGE',
      `There is no completion for "${shell}", only for ${Object.keys(SCRIPTS).join(', ')}.`,
    );
  const script = make();
  out.data({ shell, script }, () => script);
  return Promise.resolve();
};

const SCRIPTS: Readonly<Record<string, () => string>> = { bash, zsh, fish };

const firstWords = (): string[] => [
  ...new Set(COMMANDS.map(({ name }) => name.split(' ')[0] ?? '')),
];
const secondWords = (group: string): string[] =>
  COMMANDS.filter(({ name }) => name.startsWith(`${group} `)).map(
    ({ name }) => name.split(' ')[1] ?? '',
  );
const GROUP_NAMES = [...new Set([...Object.keys(GROUPS), ...firstWords()])].filter(
  (word) => secondWords(word).length > 0,
);
/** Words after the first: the second ones, and the options where the first is a command itself. */
const wordsAfter = (group: string): string[] => [
  ...secondWords(group),
  ...longFlags(COMMANDS.find(({ name }) => name === group)?.options),
];
const longFlags = (options: CommandSpec['options']): string[] =>
  (options ?? []).flatMap(({ flags }) => /--[a-z-]+/.exec(flags)?.[0] ?? []);
const globals = longFlags(GLOBAL_OPTIONS);

function bash(): string {
  // The first pattern that fits counts, so that of a longer name comes first.
  const byLength = COMMANDS.toSorted((a, b) => b.name.length - a.name.length);
  const cases = byLength.map(
    (spec) => `    "${spec.name}"*) words="${longFlags(spec.options).join(' ')}" ;;`,
  );
  const groups = GROUP_NAMES.map(
    (group) => `    "${group}") words="${wordsAfter(group).join(' ')}" ;;`,
  );
  return [
    '_mesh() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" words=""',
    '  local before="${COMP_WORDS[*]:1:COMP_CWORD-1}"',
    '  case "$before" in',
    `    "") words="${firstWords().join(' ')}" ;;`,
    ...groups,
    ...cases,
    '  esac',
    `  case "$current" in -*) words="$words ${globals.join(' ')} --help" ;; esac`,
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _mesh mesh',
  ].join('\n');
}

function zsh(): string {
  return ['#compdef mesh', 'autoload -U +X bashcompinit && bashcompinit', bash()].join('\n');
}

function fish(): string {
  const quote = (text: string): string => `'${text.replaceAll("'", String.raw`\'`)}'`;
  const first = firstWords().map((word) => {
    const summary = COMMANDS.find(({ name }) => name === word)?.summary ?? GROUPS[word] ?? '';
    return `complete -c mesh -n __fish_use_subcommand -f -a ${word} -d ${quote(summary)}`;
  });
  const second = GROUP_NAMES.map(
    (group) =>
      `complete -c mesh -n '__fish_seen_subcommand_from ${group}' -f -a '${secondWords(group).join(' ')}'`,
  );
  const options = COMMANDS.flatMap((spec) =>
    (spec.options ?? []).map(({ flags, summary }) => {
      const long = /--([a-z-]+)/.exec(flags)?.[1] ?? '';
      const word = spec.name.split(' ').at(-1) ?? '';
      return `complete -c mesh -n '__fish_seen_subcommand_from ${word}' -l ${long} -d ${quote(summary)}`;
    }),
  );
  const everywhere = globals.map((flag) => `complete -c mesh -l ${flag.slice(2)}`);
  return [...first, ...second, ...options, ...everywhere].join('\n');
}

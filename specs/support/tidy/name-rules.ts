/** Where files live and what they are called. */
import type { House } from './house.ts';
import type { Rule, Violation } from './rule.ts';

const FOLDERS = ['machines/', 'supervisor/', 'actors/', 'runtime/', 'specs/'];
const ROOT_FILES = [
  '.gitignore',
  '.oxfmtrc.json',
  '.oxlintrc.json',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'LICENSE',
  'README.md',
  'package-lock.json',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
];
const ROLES = ['machine', 'actor', 'schema', 'worker', 'suite', 'spec', 'bench', 'types'];
const FORBIDDEN_WORDS = ['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'manager'];

/** Files of a folder that is one idea; beyond this it certainly hides two. */
const FOLDER_FILES_MAX = 30;

const inFolders = (house: House): House['files'] =>
  house.files.filter(({ path }) => FOLDERS.some((folder) => path.startsWith(folder)));

const stemOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const fiveFolders: Rule = {
  name: 'there is no sixth folder and no stray file at the root',
  reason: 'Five verbs (decide, restart, bind, compose, prove) say where everything belongs.',
  check: ({ roots }) =>
    roots
      .filter((name) => ![...FOLDERS, ...ROOT_FILES, '.ci/'].includes(name))
      .map((path) => ({
        path,
        line: 0,
        message: `Move it into one of ${FOLDERS.join(', ')}, or remove it.`,
      })),
  planted: [
    { files: { 'lib/a.ts': '' }, at: 'lib/' },
    { files: { 'notes.md': '' }, at: 'notes.md' },
  ],
  clean: { 'machines/pool/a.ts': '', 'README.md': '', '.ci/build.mjs': '' },
};

function nameFault(path: string): string | undefined {
  const name = stemOf(path);
  if (!name.endsWith('.ts')) return undefined;
  // A spec bears the whole name of what it proves: agent-app.machine.spec.ts, fabric.sqlite.spec.ts.
  const isMirror = /^specs\/.*\.[a-z0-9-]+\.(spec|suite)\.ts$/.test(path);
  const [stem = '', role, ...rest] = name
    .slice(0, -3)
    .split('.')
    .filter((_, at) => !isMirror || at !== 1);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem)) return 'Write the name in kebab-case.';
  if (rest.length > 0) return 'Give the file one role, or none.';
  if (role === undefined || ROLES.includes(role)) return undefined;
  if (/^runtime\/(.*\/)?adapters\//.test(path) && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(role))
    return undefined;
  return `.${role} is no role; the roles are .${ROLES.join(' .')}, and none.`;
}

const fileGrammar: Rule = {
  name: 'a file is named kebab-case.role.ts, with a role of the closed list',
  reason: 'The name alone says what to expect inside; adapters name their technology instead.',
  check: (house) =>
    inFolders(house).flatMap(({ path }): Violation[] => {
      const message = nameFault(path);
      return message === undefined ? [] : [{ path, line: 0, message }];
    }),
  planted: [
    { files: { 'actors/pool/workerPool.ts': '' }, at: 'actors/pool/workerPool.ts' },
    { files: { 'actors/pool/pool.service.ts': '' }, at: 'actors/pool/pool.service.ts' },
    { files: { 'machines/pool/a.sqlite.ts': '' }, at: 'machines/pool/a.sqlite.ts' },
    { files: { 'specs/a.b.c.spec.ts': '' }, at: 'specs/a.b.c.spec.ts' },
  ],
  clean: {
    'actors/pool/worker-pool.actor.ts': '',
    'runtime/adapters/fabric.sqlite.ts': '',
    'runtime/adapters/README.md': '',
    'specs/tidy.spec.ts': '',
    'specs/machines/pool/worker-pool.machine.spec.ts': '',
  },
};

const forbiddenNames: Rule = {
  name: 'no name hides what is inside',
  reason: 'utils, helpers, common, misc, types.ts and manager collect what nobody thought about.',
  check: (house) =>
    inFolders(house).flatMap(({ path }): Violation[] => {
      const words = path.split(/[/.-]/);
      const word = words.find((one) => FORBIDDEN_WORDS.includes(one));
      if (stemOf(path) === 'types.ts')
        return [{ path, line: 0, message: 'Name the types by what they describe.' }];
      if (word === undefined) return [];
      return [{ path, line: 0, message: `Say what it does instead of "${word}".` }];
    }),
  planted: [
    { files: { 'runtime/utils/a.ts': '' }, at: 'runtime/utils/a.ts' },
    { files: { 'runtime/spec-helpers.ts': '' }, at: 'runtime/spec-helpers.ts' },
    { files: { 'machines/pool/types.ts': '' }, at: 'machines/pool/types.ts' },
  ],
  clean: { 'runtime/commonality.ts': '', 'machines/pool/frame.types.ts': '' },
};

const ownFolder: Rule = {
  name: `a folder holds at most ${FOLDER_FILES_MAX} files`,
  reason: 'A folder that needs scrolling holds a second idea that wants a name.',
  check: (house) => {
    const counts = new Map<string, number>();
    for (const { path } of inFolders(house)) {
      const folder = path.slice(0, path.lastIndexOf('/') + 1);
      counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
    return [...counts]
      .filter(([, count]) => count > FOLDER_FILES_MAX)
      .map(([path, count]) => ({
        path,
        line: 0,
        message: `${count} files; name a sub-idea and give it a folder.`,
      }));
  },
  planted: [
    {
      files: Object.fromEntries(
        Array.from({ length: FOLDER_FILES_MAX + 1 }, (_, n) => [`specs/supervisor/a${n}.ts`, '']),
      ),
      at: 'specs/supervisor/',
    },
  ],
  clean: Object.fromEntries(
    Array.from({ length: FOLDER_FILES_MAX }, (_, n) => [`specs/supervisor/a${n}.ts`, '']),
  ),
};

export const NAME_RULES: readonly Rule[] = [fiveFolders, fileGrammar, forbiddenNames, ownFolder];

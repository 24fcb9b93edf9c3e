/** The anatomy of a file: what is said of its exports, and in which order a machine is told. */
import type { House, SourceFile } from './house.ts';
import { isSourceIn, perFile } from './rule.ts';
import type { Rule } from './rule.ts';
import { isFunction, nameOf, nodeIn, nodesIn, walk } from './syntax.ts';
import type { SyntaxNode } from './syntax.ts';

interface Export {
  readonly name: string;
  readonly kind: string;
  readonly start: number;
  readonly end: number;
}

function exportsOf(file: SourceFile): Export[] {
  const found: Export[] = [];
  for (const statement of nodesIn(file.program, 'body')) {
    if (!/^Export(Named|Default)Declaration$/.test(statement.type)) continue;
    const declaration = nodeIn(statement, 'declaration');
    if (!declaration) continue;
    const names = [declaration, ...nodesIn(declaration, 'declarations')].map((one) =>
      nameOf(nodeIn(one, 'id')),
    );
    for (const name of names)
      if (name !== undefined)
        found.push({ name, kind: declaration.type, start: statement.start, end: statement.end });
  }
  return found;
}

const hasDocBefore = (file: SourceFile, start: number): boolean => {
  const before = file.text.slice(0, start).trimEnd();
  return before.endsWith('*/') && before.slice(before.lastIndexOf('/*')).startsWith('/**');
};

/** A comment on the first of a row of constants, without a blank line between, speaks for the row. */
function isInDocumentedRow(file: SourceFile, one: Export, exports: readonly Export[]): boolean {
  if (hasDocBefore(file, one.start)) return true;
  if (one.kind !== 'VariableDeclaration') return false;
  const above = exports.find(({ end }) => file.text.slice(end, one.start) === '\n');
  return above !== undefined && isInDocumentedRow(file, above, exports);
}

const pascal = (kebab: string): string =>
  kebab.replace(/(^|[-.])(\w)/g, (_, __, c) => c.toUpperCase());
const stemOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1, -'.ts'.length);

/** The file's header speaks for the export that bears the file's name, and for a lone one. */
function headerSpeaksFor(file: SourceFile, name: string, exports: readonly Export[]): boolean {
  if (!file.text.startsWith('/**')) return false;
  const [stem = ''] = stemOf(file.path).split('.');
  return pascal(name) === pascal(stem) || exports.length === 1;
}

/** The types and predicates whose grammar says what they are: see "a machine" in CONTRIBUTING. */
const NAMED_BY_GRAMMAR = /(Input|Context|Command|Fact|Event|Emitted|Output|Machine)$/;
const PREDICATE = /^(is|has|can)[A-Z]/;

const isPublic = (file: SourceFile): boolean =>
  isSourceIn('machines/', 'supervisor/', 'runtime/index.ts')(file) ||
  (isSourceIn('actors/')(file) && /\bports\b/.test(file.path));

const documented: Rule = {
  name: 'every export has a doc comment',
  reason: 'The reader of a call sees it without opening the file: purpose, units, errors by code.',
  check: perFile(isPublic, (file, report) => {
    const isMachine = file.path.startsWith('machines/') || file.path.endsWith('.machine.ts');
    const exports = exportsOf(file);
    for (const one of exports) {
      const { name, kind, start } = one;
      // The members of a short union are its documentation.
      if (kind === 'TSTypeAliasDeclaration') continue;
      if (isInDocumentedRow(file, one, exports) || headerSpeaksFor(file, name, exports)) continue;
      if (PREDICATE.test(name) || (isMachine && NAMED_BY_GRAMMAR.test(name))) continue;
      report(file.lineAt(start), `Say in a doc comment what ${name} is for.`);
    }
  }),
  planted: [
    { files: { 'supervisor/a.ts': '\nexport const b = 1;\n' }, at: 'supervisor/a.ts:2' },
    {
      files: { 'actors/a/ports/b.ts': '/** B. */\nexport class B {}\n\nexport interface C {}\n' },
      at: 'actors/a/ports/b.ts:4',
    },
    {
      files: { 'runtime/index.ts': '// Not a doc comment.\nexport function a(): void {}\n' },
      at: 'runtime/index.ts:2',
    },
  ],
  clean: {
    'supervisor/a.ts':
      '/** A. */\nexport const a = 1;\nexport const c = 3;\nconst b = 2;\nexport { b };\n',
    'machines/a/run-queue.ts': '/** A queue. */\nimport x from "y";\nexport class RunQueue {}\n',
    'machines/a/b.machine.ts': '/** B. */\nexport type BEvent = 1;\nexport const isB = () => 1;\n',
  },
};

const isMachineFile = (file: SourceFile): boolean =>
  isSourceIn('machines/')(file) && file.path.endsWith('.machine.ts');

const callsCreateMachine = (node: SyntaxNode): boolean =>
  node.type === 'CallExpression' &&
  nameOf(nodeIn(nodeIn(node, 'callee') ?? node, 'property')) === 'createMachine';

/** The `createMachine(…)` call of a machine file, and the top-level statement that holds it. */
function creationIn(file: SourceFile): { call: SyntaxNode; statement: SyntaxNode } | undefined {
  let found: { call: SyntaxNode; statement: SyntaxNode } | undefined;
  walk(file.program, (node, ancestors) => {
    const statement = ancestors[1];
    if (callsCreateMachine(node) && statement) found ??= { call: node, statement };
  });
  return found;
}

const machineOrder: Rule = {
  name: 'a machine file is told in order: header, types, limits, guards, updates, machine',
  reason: 'All machines read alike, so a reader looks where the answer is.',
  check: perFile(isMachineFile, (file, report) => {
    if (!file.text.startsWith('/**'))
      report(1, 'Begin with a comment: what it decides, what it leaves to others, who binds it.');
    const creation = creationIn(file);
    const statements = nodesIn(file.program, 'body');
    if (!creation) return report(0, 'Create the machine with setup(…).createMachine(…).');
    if (statements.at(-1) !== creation.statement)
      report(file.lineAt(statements.at(-1)?.start ?? 0), 'Nothing follows the machine.');
    const bare = statements.map((one) => nodeIn(one, 'declaration') ?? one);
    const firstValue = bare.findIndex((one) => /^(Variable|Function|Class)Decl/.test(one.type));
    for (const [index, one] of bare.entries())
      if (/^(TSInterface|TSTypeAlias|Import)/.test(one.type) && index > firstValue)
        report(file.lineAt(one.start), 'Types and imports stand before limits and functions.');
  }),
  planted: [
    {
      files: { 'machines/a/b.machine.ts': 'export const m = setup({}).createMachine({});\n' },
      at: 'machines/a/b.machine.ts:1',
    },
    {
      files: {
        'machines/a/b.machine.ts': '/** B. */\nconst m = setup({}).createMachine({});\nf();\n',
      },
      at: 'machines/a/b.machine.ts:3',
    },
    {
      files: {
        'machines/a/b.machine.ts':
          '/** B. */\nconst MAX = 1;\ntype A = 1;\nconst m = setup({}).createMachine({});\n',
      },
      at: 'machines/a/b.machine.ts:3',
    },
    { files: { 'machines/a/b.machine.ts': '/** B. */\n' }, at: 'machines/a/b.machine.ts' },
  ],
  clean: {
    'machines/a/b.machine.ts':
      '/** B. */\nimport { setup } from "xstate";\ntype A = 1;\nconst MAX = 1;\n' +
      'export const bMachine = setup({}).createMachine({ id: "b" });\n',
  },
};

/** Text of a static object key. */
const keyOf = (property: SyntaxNode): string | undefined => nameOf(nodeIn(property, 'key'));

/** `() => ({ … })` is data with a few holes, however many lines it has. */
const makesData = (node: SyntaxNode): boolean =>
  /^(ObjectExpression|ParenthesizedExpression)$/.test(nodeIn(node, 'body')?.type ?? '');

/** Where the names of a chart may be set up instead: `a-setup.ts` beside `a.machine.ts`. */
const setupOf = (house: House, file: SourceFile): readonly SourceFile[] =>
  house.files.filter(({ path }) => path === file.path.replace(/\.machine\.ts$/, '-setup.ts'));

/** Effects declared with unboundWatch: they tell failures as facts, and a throw in one is a defect. */
function watchesOf(files: readonly SourceFile[]): ReadonlySet<string | undefined> {
  const watches = new Set<string | undefined>();
  for (const { program } of files)
    walk(program, (node) => {
      const value = node.type === 'Property' ? nodeIn(node, 'value') : undefined;
      if (nameOf(value && nodeIn(value, 'callee')) === 'unboundWatch') watches.add(keyOf(node));
    });
  return watches;
}

/** Whether an invoke's failure is answered, or said to be the supervisor's. */
function isAnswered(invoke: SyntaxNode, watches: ReadonlySet<string | undefined>): boolean {
  const fields = nodesIn(invoke, 'properties');
  const src = fields.find((field) => keyOf(field) === 'src');
  if (watches.has(nameOf(src && nodeIn(src, 'value')))) return true;
  return fields.some((field) => keyOf(field) === 'onError');
}

function lookAtConfig(
  file: SourceFile,
  config: SyntaxNode,
  watches: ReadonlySet<string | undefined>,
  report: (line: number, message: string) => void,
): void {
  walk(config, (node, ancestors) => {
    const line = file.lineAt(node.start);
    if (isFunction(node) && file.lineAt(node.end) !== line && !makesData(node))
      report(line, 'Name this function in setup(…); the chart holds names and one-liners.');
    if (node.type !== 'Property') return;
    if (keyOf(node)?.startsWith('xstate.'))
      report(line, 'Use onDone, onError or after; xstate.* is not written by hand.');
    if (keyOf(node) !== 'invoke') return;
    const value = nodeIn(node, 'value');
    const invokes = value?.type === 'ArrayExpression' ? nodesIn(value, 'elements') : [value];
    for (const one of invokes) {
      if (one?.type !== 'ObjectExpression') continue;
      const state = file.text.slice(ancestors.at(-1)?.start ?? 0, one.end);
      if (!isAnswered(one, watches) && !saysWhy(state))
        report(file.lineAt(one.start), 'Add onError, or say in a comment why a crash is right.');
    }
  });
}

const saysWhy = (text: string): boolean => /\/\/|\/\*/.test(text);

const machineChart: Rule = {
  name: 'a chart holds names, its file name as id, and an answer to each failing effect',
  reason: 'The chart is what is drawn, tested and read aloud; code in it is none of these.',
  check: perFile(isMachineFile, (file, report, house) => {
    const call = creationIn(file)?.call;
    const config = call && nodesIn(call, 'arguments')[0];
    if (!config) return;
    const id = nodesIn(config, 'properties').find((one) => keyOf(one) === 'id');
    const stem = stemOf(file.path).replace(/\.machine$/, '');
    if (nameOf(id && nodeIn(id, 'value')) !== stem)
      report(file.lineAt(config.start), `Give the machine the id '${stem}'.`);
    lookAtConfig(file, config, watchesOf([file, ...setupOf(house, file)]), report);
  }),
  planted: [
    {
      files: { 'machines/a/b.machine.ts': 'setup({}).createMachine({ id: "c" });\n' },
      at: 'machines/a/b.machine.ts:1',
    },
    {
      files: {
        'machines/a/b.machine.ts':
          'setup({}).createMachine({\n  id: "b",\n  entry: () => {\n    f();\n  },\n});\n',
      },
      at: 'machines/a/b.machine.ts:3',
    },
    {
      files: {
        'machines/a/b.machine.ts':
          'setup({}).createMachine({\n  id: "b",\n  on: { "xstate.done.actor.x": "c" },\n});\n',
      },
      at: 'machines/a/b.machine.ts:3',
    },
    {
      files: {
        'machines/a/b.machine.ts':
          'setup({}).createMachine({\n  id: "b",\n  invoke: { src: "startX", onDone: "c" },\n});\n',
      },
      at: 'machines/a/b.machine.ts:3',
    },
  ],
  clean: {
    'machines/a/b.machine.ts':
      'setup({ actions: { f: () => {\n  g();\n} } }).createMachine({\n  id: "b",\n' +
      '  entry: ({ context }) => context.f,\n' +
      '  context: () => ({\n    a: 1,\n  }),\n  invoke: { src: "x", onError: "c" },\n' +
      '  states: {\n    d: {\n      // Without its records it can decide nothing.\n' +
      '      invoke: { src: "readX" },\n    },\n  },\n});\n',
    'machines/a/c.machine.ts':
      'setup({ actors: { watchX: unboundWatch("watchX") } }).createMachine({\n' +
      '  id: "c",\n  invoke: { src: "watchX" },\n});\n',
    'machines/a/d-setup.ts': 'const d = setup({ actors: { watchX: unboundWatch("watchX") } });\n',
    'machines/a/d.machine.ts':
      'const m = dSetup.createMachine({\n  id: "d",\n  invoke: { src: "watchX" },\n});\n',
  },
};

export const SHAPE_RULES: readonly Rule[] = [documented, machineOrder, machineChart];

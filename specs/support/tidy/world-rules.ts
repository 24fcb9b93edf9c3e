/** Nothing of the world outside runtime/ and specs/. */
import { isSourceIn, perFile } from './rule.ts';
import type { Rule } from './rule.ts';
import { importsOf, isFunction, memberText, nameOf, nodeIn, nodesIn, walk } from './syntax.ts';
import type { SyntaxNode } from './syntax.ts';

/** What to use instead, by global or member. */
const WORLD: Readonly<Record<string, string>> = {
  'Date.now': 'Take a Clock.',
  'Math.random': 'Take a Random.',
  setTimeout: 'Take a Clock.',
  setInterval: 'Take a Clock.',
  setImmediate: 'Take a Clock or a defer port.',
  performance: 'Take a Clock.',
  console: 'Report a fact; the runtime logs.',
  process: 'Ask for the value through input or a port.',
  fetch: 'Ask for it through a port.',
  crypto: 'Ask for it through a port.',
};

const isPure = isSourceIn('machines/', 'supervisor/', 'actors/');
const NAMED_BY_PARENT: Readonly<Record<string, readonly string[]>> = {
  MemberExpression: ['property'],
  Property: ['key'],
  PropertyDefinition: ['key'],
  MethodDefinition: ['key'],
  TSPropertySignature: ['key'],
  TSMethodSignature: ['key'],
  TSQualifiedName: ['right'],
};

/** Whether the identifier is a mere label (`clock.setTimeout`, `{ process: … }`), or in a type. */
function isLabel(node: SyntaxNode, ancestors: readonly SyntaxNode[]): boolean {
  const parent = ancestors.at(-1);
  if (!parent) return false;
  if (parent['computed'] !== true)
    for (const field of NAMED_BY_PARENT[parent.type] ?? []) if (parent[field] === node) return true;
  return ancestors.some(({ type }) => /^TS(TypeAnnotation|TypeAlias|Interface)/.test(type));
}

function collectNames(pattern: SyntaxNode | undefined, into: Set<string>): void {
  if (!pattern) return;
  if (pattern.type === 'Identifier') into.add(nameOf(pattern) ?? '');
  else if (pattern.type === 'AssignmentPattern') collectNames(nodeIn(pattern, 'left'), into);
  else if (pattern.type === 'RestElement') collectNames(nodeIn(pattern, 'argument'), into);
  else if (pattern.type === 'Property') collectNames(nodeIn(pattern, 'value'), into);
  else
    for (const field of ['elements', 'properties'])
      for (const one of nodesIn(pattern, field)) collectNames(one, into);
}

/** Names that a function's parameters or a block's own statements declare. */
function declaredIn(scope: SyntaxNode): Set<string> {
  const names = new Set<string>();
  if (isFunction(scope)) for (const one of nodesIn(scope, 'params')) collectNames(one, names);
  for (const statement of nodesIn(scope, 'body')) {
    const declaration = nodeIn(statement, 'declaration') ?? statement;
    collectNames(nodeIn(declaration, 'id'), names);
    for (const one of nodesIn(declaration, 'declarations')) collectNames(nodeIn(one, 'id'), names);
    if (statement.type === 'ImportDeclaration')
      for (const one of nodesIn(statement, 'specifiers')) collectNames(nodeIn(one, 'local'), names);
  }
  return names;
}

/** A global or member of the table that the node reads, unless a declaration around it shadows. */
function worldUse(node: SyntaxNode, ancestors: readonly SyntaxNode[]): string | undefined {
  const member = memberText(node);
  if (member !== undefined) return member in WORLD ? member : undefined;
  if (node.type === 'NewExpression')
    return nameOf(nodeIn(node, 'callee')) === 'Date' && nodesIn(node, 'arguments').length === 0
      ? 'new Date()'
      : undefined;
  const name = node.type === 'Identifier' ? nameOf(node) : undefined;
  if (name === undefined || !Object.hasOwn(WORLD, name) || isLabel(node, ancestors))
    return undefined;
  return ancestors.some((scope) => declaredIn(scope).has(name)) ? undefined : name;
}

const noWorld: Rule = {
  name: 'machines, supervisor and actors touch nothing of the world',
  reason:
    'Time, chance, disk, network and processes come in through ports, so that the whole mesh ' +
    'runs in one process under a virtual clock with injected faults.',
  check: perFile(isPure, (file, report) => {
    for (const { specifier, line } of importsOf(file))
      if (specifier.startsWith('node:'))
        report(line, `Ask for what ${specifier} does through a port.`);
    walk(file.program, (node, ancestors) => {
      const use = worldUse(node, ancestors);
      if (use !== undefined)
        report(file.lineAt(node.start), `${use} is the world. ${WORLD[use] ?? 'Take a Clock.'}`);
    });
  }),
  planted: [
    ...['Date.now()', 'Math.random()', 'new Date()', 'console.log(1)', 'process.pid'].map(
      (use) => ({
        files: { 'machines/a/b.ts': `\nexport const b = ${use};\n` },
        at: 'machines/a/b.ts:2',
      }),
    ),
    ...['setTimeout(b, 1)', 'setInterval(b, 1)', "fetch('x')"].map((use) => ({
      files: { 'actors/a/b.ts': `function b(): void {\n  ${use};\n}\n` },
      at: 'actors/a/b.ts:2',
    })),
    { files: { 'supervisor/a.ts': "import 'node:fs';\n" }, at: 'supervisor/a.ts:1' },
    { files: { 'supervisor/a.ts': 'const a = { fetch };\n' }, at: 'supervisor/a.ts:1' },
  ],
  clean: {
    'machines/a/b.ts': 'export const b = (atMs: number): Date => new Date(atMs);\n',
    'actors/a/b.ts':
      'export function b(process: { pid: number }, clock: Clock): number {\n' +
      '  clock.setTimeout(b, 1);\n  return process.pid;\n}\n',
    'actors/a/c.ts':
      'const { process } = ports;\nexport const c = { console: 1, fetch: process };\n',
    'machines/a/d.ts': 'export interface D { readonly process: string }\n// Date.now()\n',
    'runtime/a.ts': 'export const a = Date.now();\n',
  },
};

/** A promise made of nothing but a timer, or the ready-made one. */
function isSleep(node: SyntaxNode): boolean {
  if (node.type !== 'NewExpression' || nameOf(nodeIn(node, 'callee')) !== 'Promise') return false;
  const executor = nodesIn(node, 'arguments')[0];
  const body = executor && nodeIn(executor, 'body');
  if (!body) return false;
  const only = body.type === 'BlockStatement' ? nodesIn(body, 'body') : [body];
  const call =
    only.length === 1 && only[0] ? (nodeIn(only[0], 'expression') ?? only[0]) : undefined;
  const callee = call && nodeIn(call, 'callee');
  const resolve = call && nodesIn(call, 'arguments')[0];
  return nameOf(callee) === 'setTimeout' && resolve?.type === 'Identifier';
}

const noSleep: Rule = {
  name: 'a spec does not sleep',
  reason:
    'A sleep is too short on a slow machine and too long on every other: poll, with a deadline.',
  check: perFile(
    (file) => isSourceIn('specs/')(file) && !isSourceIn('specs/support/', 'specs/benches/')(file),
    (file, report) => {
      const message = 'Advance the virtual clock, or poll with a deadline (specs/support).';
      for (const { specifier, line } of importsOf(file))
        if (specifier === 'node:timers/promises') report(line, message);
      walk(file.program, (node, ancestors) => {
        const isPoll = ancestors.some(({ type }) => type === 'WhileStatement');
        const above = file.lines[file.lineAt(node.start) - 2] ?? '';
        // A moment that is chosen, such as that of a crash, is said to be one.
        if (isSleep(node) && !isPoll && !above.trim().startsWith('//'))
          report(file.lineAt(node.start), message);
      });
    },
  ),
  planted: [
    {
      files: { 'specs/a.spec.ts': '\nawait new Promise((resolve) => setTimeout(resolve, 50));\n' },
      at: 'specs/a.spec.ts:2',
    },
    {
      files: { 'specs/a.spec.ts': 'await new Promise((done) => {\n  setTimeout(done, 50);\n});\n' },
      at: 'specs/a.spec.ts:1',
    },
    {
      files: { 'specs/a.spec.ts': "import { setTimeout } from 'node:timers/promises';\n" },
      at: 'specs/a.spec.ts:1',
    },
  ],
  clean: {
    'specs/a.spec.ts': 'const timer = setTimeout(() => server.close(), 50);\n',
    'specs/b.spec.ts':
      'while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));\n' +
      '// The crash comes at any moment of the switch.\n' +
      'await new Promise((resolve) => setTimeout(resolve, moment));\n',
    'specs/support/poll.ts': 'await new Promise((resolve) => setTimeout(resolve, 5));\n',
  },
};

export const WORLD_RULES: readonly Rule[] = [noWorld, noSleep];

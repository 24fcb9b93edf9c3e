/** What the project's text says, and what it must not. */
import type { SourceFile } from './house.ts';
import { isSourceIn, perFile } from './rule.ts';
import type { Rule } from './rule.ts';
import { isFunction, memberText, nameOf, nodeIn, nodesIn, walk } from './syntax.ts';
import type { SyntaxNode } from './syntax.ts';

/** This file spells out what it forbids. */
const OWN_PATH = 'specs/support/tidy/word-rules.ts';

const anyFile = (file: SourceFile): boolean => file.path !== OWN_PATH;

/** A rule about lines of text that match a pattern. */
const lineRule = (
  isFor: (file: SourceFile) => boolean,
  pattern: RegExp,
  message: string,
): Rule['check'] =>
  perFile(isFor, (file, report) => {
    for (const [index, line] of file.lines.entries())
      if (pattern.test(line)) report(index + 1, message);
  });

const noTickets: Rule = {
  name: 'no text points at a ticket',
  reason: 'A number means nothing to who has no access to the list it counts; say the reason.',
  check: lineRule(
    anyFile,
    /(^|(?<!PKCS|:)[\s(,;])#\d+\b|\b(issue|ticket|bug|pull request|PR) ?#?\d+\b/i,
    'Say the reason itself.',
  ),
  planted: [
    { files: { 'README.md': `\nsee #12\n` }, at: 'README.md:2' },
    { files: { 'runtime/a.ts': `// works around issue 7\n` }, at: 'runtime/a.ts:1' },
    { files: { 'ARCHITECTURE.md': 'PR 12\n' }, at: 'ARCHITECTURE.md:1' },
  ],
  clean: {
    'runtime/a.ts': 'class A { #b = 1; } // SHA-256, RFC 8785 §3, row 2\n',
    'runtime/a.html': 'color: #777; PKCS #8\n',
  },
};

const noMachinePaths: Rule = {
  name: "no text names a path of somebody's machine",
  reason: 'It exists on one machine only; temporary files go below os.tmpdir().',
  check: lineRule(
    anyFile,
    /(?<![\w.:/@}*-])\/(tmp|work|root|home\/\w+)\//,
    'Use a path relative to the project, MESH_HOME or os.tmpdir().',
  ),
  planted: [
    { files: { 'README.md': `\ncd /work/x\n` }, at: 'README.md:2' },
    { files: { 'specs/a.ts': `const a = '/tmp/x';\n` }, at: 'specs/a.ts:1' },
    { files: { 'specs/a.ts': `const a = '/home/eve/x';\n` }, at: 'specs/a.ts:1' },
  ],
  clean: { 'README.md': 'https://host/work/x and ./tmp/y and $HOME/root/\n' },
};

const noLaterMarks: Rule = {
  name: 'nothing is marked to be done later',
  reason: 'What is missing is said in the README or done; a mark in the code is neither.',
  check: lineRule(
    (file) => anyFile(file) && !file.path.endsWith('.md'),
    /\b(TODO|FIXME|XXX|HACK)\b/,
    'Do it, or say in the README that it is missing.',
  ),
  planted: [{ files: { 'runtime/a.ts': `\n// TODO: b\n` }, at: 'runtime/a.ts:2' }],
  clean: { 'runtime/a.ts': '// Todos are items of a list.\n' },
};

const noSilencedTypes: Rule = {
  name: 'no check is switched off without a reason',
  reason: 'A silenced checker also keeps silent about the next mistake on that line.',
  check: lineRule(
    (file) => file.isTypeScript && anyFile(file),
    /@ts-(ignore|nocheck)|(ox|es)lint-disable(?!.*--)/,
    'Mend the cause; a lint rule may be disabled on one line with `-- reason`.',
  ),
  planted: [
    { files: { 'runtime/a.ts': `\n// @ts-ignore\n` }, at: 'runtime/a.ts:2' },
    { files: { 'runtime/a.ts': `// oxlint-disable no-eval\n` }, at: 'runtime/a.ts:1' },
  ],
  clean: { 'runtime/a.ts': `// oxlint-disable-next-line no-eval -- the plan is data\n` },
};

const saysWhy = (text: string): boolean => /\/\/|\/\*/.test(text);
const isNothing = (node: SyntaxNode | undefined): boolean =>
  node?.type === 'BlockStatement'
    ? nodesIn(node, 'body').length === 0
    : nameOf(node) === 'undefined' || (node?.type === 'Literal' && node['value'] === null);

/** Whether the node or the line above it has a comment. */
function hasComment(file: SourceFile, node: SyntaxNode): boolean {
  const line = file.lineAt(node.start);
  const last = file.lineAt(node.end);
  return saysWhy(file.lines.slice(Math.max(0, line - 2), last).join('\n'));
}

const noSilentCatch: Rule = {
  name: 'a catch rethrows, makes a fact of it, or says why silence is right',
  reason: 'A swallowed error comes back as a puzzle, far from its cause.',
  check: perFile(isSourceIn(''), (file, report) => {
    const message = 'Rethrow with the cause, turn it into a fact, or say why silence is right.';
    walk(file.program, (node) => {
      if (node.type === 'CatchClause' && isNothing(nodeIn(node, 'body')) && !hasComment(file, node))
        report(file.lineAt(node.start), message);
      if (node.type !== 'CallExpression') return;
      const callee = nodeIn(node, 'callee');
      const listener = nodesIn(node, 'arguments')[0];
      if (!callee || nameOf(nodeIn(callee, 'property')) !== 'catch') return;
      if (!listener || !isFunction(listener) || !isNothing(nodeIn(listener, 'body'))) return;
      if (!hasComment(file, listener)) report(file.lineAt(listener.start), message);
    });
  }),
  planted: [
    { files: { 'runtime/a.ts': 'try {\n  b();\n} catch {}\n' }, at: 'runtime/a.ts:3' },
    { files: { 'runtime/a.ts': '\nawait b().catch(() => {});\n' }, at: 'runtime/a.ts:2' },
    { files: { 'runtime/a.ts': '\nawait b().catch(() => undefined);\n' }, at: 'runtime/a.ts:2' },
  ],
  clean: {
    'runtime/a.ts':
      'try {\n  b();\n} catch {\n  // The file may be gone: that is what was wanted.\n}\n' +
      '// The socket may be closed already.\nawait b().catch(() => undefined);\n' +
      'await c().catch((cause) => report(cause));\n',
  },
};

const noFocus: Rule = {
  name: 'no spec is focused or skipped by hand',
  reason: 'A focused spec hides all others; a skipped one proves nothing and looks green.',
  check: perFile(isSourceIn('specs/'), (file, report) => {
    walk(file.program, (node) => {
      const member = memberText(node) ?? '';
      if (/^(it|test|describe|suite)\.(only|skip|todo|fails)$/.test(member))
        report(file.lineAt(node.start), `Remove ${member}, or use skipIf with what is missing.`);
    });
  }),
  planted: [
    { files: { 'specs/a.spec.ts': "\nit.only('a', () => {});\n" }, at: 'specs/a.spec.ts:2' },
    { files: { 'specs/a.spec.ts': "describe.skip('a', () => {});\n" }, at: 'specs/a.spec.ts:1' },
    { files: { 'specs/a.spec.ts': "it.skip.each([1])('a', b);\n" }, at: 'specs/a.spec.ts:1' },
  ],
  clean: { 'specs/a.spec.ts': "it.skipIf(!exists)('a', () => {});\nit.each([1])('b', c);\n" },
};

export const WORD_RULES: readonly Rule[] = [
  noTickets,
  noMachinePaths,
  noLaterMarks,
  noSilencedTypes,
  noSilentCatch,
  noFocus,
];

/** Sizes above which a second look has always found two things in one. */
import type { SourceFile } from './house.ts';
import { isSourceIn, perFile } from './rule.ts';
import type { Rule } from './rule.ts';
import { isFunction, nameOf, nodeIn, walk } from './syntax.ts';
import type { SyntaxNode } from './syntax.ts';

const LINE_COLUMNS_MAX = 120;
const FUNCTION_LINES_MAX = 70;

/** A string alone on its line is text for people; the formatter leaves it whole, and so may we. */
const PROSE = /^\s*(\w+: )?(['"`]).*\2[,;]?$/;

/** The first row whose pattern matches the path decides. */
const FILE_LINES: readonly { readonly of: RegExp; readonly max: number; readonly split: string }[] =
  [
    // A program writes and reads these.
    { of: /^runtime\/rpc\/generated\//, max: Number.POSITIVE_INFINITY, split: '' },
    { of: /^specs\//, max: 500, split: 'Split by what is proved.' },
    {
      of: /\.machine\.ts$/,
      max: 300,
      split: 'Set names up in a file beside the chart, or split a child machine off.',
    },
    { of: /^actors\/.*ports/, max: 200, split: 'Split the port.' },
    { of: /^runtime\/cli\/main\.ts$/, max: 80, split: 'Move what it does beside it.' },
    { of: /^runtime\/cli\/commands\//, max: 150, split: 'A command parses, calls and prints.' },
    { of: /^runtime\/main\.ts$/, max: 80, split: 'Move what it does beside it.' },
    { of: /^(machines|supervisor|actors|runtime)\//, max: 400, split: 'Split it by noun.' },
  ];

const fileSize: Rule = {
  name: 'no file is longer than its kind allows',
  reason: 'If a file needs a table of contents, it is two files.',
  check: perFile(isSourceIn(''), (file, report) => {
    const row = FILE_LINES.find(({ of }) => of.test(file.path));
    if (row && file.lineCount > row.max)
      report(row.max + 1, `${file.lineCount} lines, at most ${row.max}. ${row.split}`);
  }),
  planted: [
    { files: { 'runtime/a.ts': '\n'.repeat(401) }, at: 'runtime/a.ts:401' },
    { files: { 'actors/a/ports.ts': '\n'.repeat(201) }, at: 'actors/a/ports.ts:201' },
    { files: { 'runtime/cli/main.ts': '\n'.repeat(81) }, at: 'runtime/cli/main.ts:81' },
    { files: { 'specs/a.spec.ts': '\n'.repeat(501) }, at: 'specs/a.spec.ts:501' },
  ],
  clean: {
    'runtime/a.ts': '\n'.repeat(400),
    'runtime/rpc/generated/a.ts': '\n'.repeat(900),
    'specs/a.spec.ts': '\n'.repeat(500),
  },
};

const lineWidth: Rule = {
  name: `no line is wider than ${LINE_COLUMNS_MAX} columns`,
  reason: 'Two files side by side fit a screen; the formatter cannot break strings and comments.',
  check: perFile(isSourceIn(''), (file, report) => {
    for (const [index, line] of file.lines.entries())
      if (line.length > LINE_COLUMNS_MAX && !PROSE.test(line))
        report(index + 1, `${line.length} columns; break it.`);
  }),
  planted: [{ files: { 'runtime/a.ts': `\n// ${'x'.repeat(118)}` }, at: 'runtime/a.ts:2' }],
  clean: { 'runtime/a.ts': `// ${'x'.repeat(117)}\n  explain: '${'x'.repeat(200)}',\n` },
};

/** `describe` groups specs; it is a chapter, not a function. */
function isDescribe(ancestors: readonly SyntaxNode[]): boolean {
  const call = ancestors.at(-1);
  if (call?.type !== 'CallExpression') return false;
  let callee = nodeIn(call, 'callee');
  while (callee && callee.type !== 'Identifier')
    callee = nodeIn(callee, 'callee') ?? nodeIn(callee, 'object') ?? nodeIn(callee, 'tag');
  return nameOf(callee) === 'describe';
}

const isSuite = (file: SourceFile): boolean => file.path.endsWith('.suite.ts');

const functionSize: Rule = {
  name: `no function is longer than ${FUNCTION_LINES_MAX} lines`,
  reason: 'A function that scrolls does several things; each of them has a name.',
  check: perFile(isSourceIn(''), (file, report) => {
    walk(file.program, (node, ancestors) => {
      if (!isFunction(node)) return;
      const first = file.lineAt(node.start);
      const lines = file.lineAt(node.end) - first + 1;
      const holdsDescribe = isSuite(file) && ancestors.length <= 3;
      if (lines > FUNCTION_LINES_MAX && !isDescribe(ancestors) && !holdsDescribe)
        report(first, `${lines} lines, at most ${FUNCTION_LINES_MAX}. Name its parts.`);
    });
  }),
  planted: [
    {
      files: { 'runtime/a.ts': `\nexport function a(): void {\n${'b();\n'.repeat(69)}}\n` },
      at: 'runtime/a.ts:2',
    },
    {
      files: { 'specs/a.spec.ts': `it('a', () => {\n${'b();\n'.repeat(69)}});\n` },
      at: 'specs/a.spec.ts:1',
    },
  ],
  clean: {
    'runtime/a.ts': `export function a(): void {\n${'b();\n'.repeat(68)}}\n`,
    'specs/a.spec.ts': `describe.each([1])('a', () => {\n${'b();\n'.repeat(200)}});\n`,
  },
};

export const SIZE_RULES: readonly Rule[] = [fileSize, lineWidth, functionSize];

/** What every machine owes: the suite of any machine, and a walk of its graph by the real actor. */
import type { House, SourceFile } from './house.ts';
import { isSourceIn } from './rule.ts';
import type { Rule, Violation } from './rule.ts';
import { nameOf, nodeIn, nodesIn, walk } from './syntax.ts';

/** What a spec calls with the machine, and what to do where none does. */
const PROOFS: readonly { readonly calls: readonly string[]; readonly message: string }[] = [
  {
    calls: ['machineSuite'],
    message: 'No spec calls machineSuite with it: prove what any machine owes.',
  },
  {
    calls: ['modelWalk', 'modelTests', 'exploreMachine'],
    message: 'No spec calls modelWalk with it: walk its graph with its real bindings.',
  },
];

const isMachine = (file: SourceFile): boolean =>
  isSourceIn('machines/', 'supervisor/')(file) && file.path.endsWith('.machine.ts');

/** The name under which a machine file exports its machine: always `…Machine`. */
function exportedMachine(file: SourceFile): string | undefined {
  return nodesIn(file.program, 'body')
    .flatMap((one) => nodesIn(nodeIn(one, 'declaration') ?? one, 'declarations'))
    .map((one) => nameOf(nodeIn(one, 'id')) ?? '')
    .find((name) => name.endsWith('Machine'));
}

/** `function machine`, for each call of a proof in a spec. */
function provenIn({ files }: House): ReadonlySet<string> {
  const proven = new Set<string>();
  const names = new Set(PROOFS.flatMap(({ calls }) => calls));
  for (const file of files)
    if (file.path.startsWith('specs/') && file.path.endsWith('.spec.ts'))
      walk(file.program, (node) => {
        if (node.type !== 'CallExpression') return;
        const callee = nameOf(nodeIn(node, 'callee'));
        const [machine] = nodesIn(node, 'arguments');
        if (callee !== undefined && names.has(callee) && machine)
          proven.add(`${callee} ${nameOf(machine)}`);
      });
  return proven;
}

const machineProofs: Rule = {
  name: 'every machine passes the suite of any machine, and its graph is walked',
  reason: 'A chart that nobody walks has states that nothing reaches, and traps.',
  check: (house) => {
    const proven = provenIn(house);
    return house.files.filter(isMachine).flatMap((file): Violation[] => {
      const machine = exportedMachine(file) ?? '';
      return PROOFS.filter(
        ({ calls }) => !calls.some((call) => proven.has(`${call} ${machine}`)),
      ).map(({ message }) => ({ path: file.path, line: 0, message }));
    });
  },
  planted: [
    {
      files: {
        'machines/a/b.machine.ts': 'export const bMachine = setup({}).createMachine({});\n',
        'specs/machines/a/b.machine.spec.ts': 'machineSuite(bMachine, {});\n',
      },
      at: 'machines/a/b.machine.ts',
    },
    {
      files: {
        'machines/a/b.machine.ts': 'export const bMachine = setup({}).createMachine({});\n',
        'specs/actors/a/b.actor.spec.ts': 'modelWalk(bMachine, {});\nmachineSuite(c, {});\n',
      },
      at: 'machines/a/b.machine.ts',
    },
  ],
  clean: {
    'machines/a/b.machine.ts': 'export const bMachine = setup({}).createMachine({});\n',
    'specs/machines/a/b.machine.spec.ts': 'machineSuite(bMachine, {});\n',
    'specs/actors/a/b.actor.spec.ts': 'modelWalk(bMachine, {});\n',
  },
};

export const PROOF_RULES: readonly Rule[] = [machineProofs];

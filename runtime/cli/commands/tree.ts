import { connectControl } from '../../control/client.ts';
import type { TreeNode } from '../../../supervisor/index.ts';
import type { Run } from '../command.ts';
import { age, counted } from '../format.ts';
import { paint } from '../output.ts';

/** Draws the supervision tree. */
export const run: Run = async ({ home, out }) => {
  const root = await connectControl(home).describe();
  out.data(root, () => drawTree(root, Date.now()).join('\n'));
};

/** One line a node: its name, its state, its restarts, how long it has been so. */
export function drawTree(node: TreeNode, nowMs: number, first = '', rest = ''): string[] {
  const restarts = node.restarts === 0 ? '' : `, ${counted(node.restarts, 'restart')}`;
  const facts = `${stateOf(node)}${restarts}, ${age(node.sinceMs, nowMs)}`;
  const name = node.kind === 'supervisor' ? paint(process.stdout, 'bold', node.id) : node.id;
  const lines = [`${first}${name}  ${paint(process.stdout, 'dim', facts)}`];
  const lastIndex = node.children.length - 1;
  for (const [index, child] of node.children.entries()) {
    const isLast = index === lastIndex;
    const [branch, below] = isLast ? ['└─ ', '   '] : ['├─ ', '│  '];
    lines.push(...drawTree(child, nowMs, `${rest}${branch}`, `${rest}${below}`));
  }
  return lines;
}

const stateOf = ({ state, status }: TreeNode): string =>
  state === undefined || state === status ? status : `${status} ${state}`;

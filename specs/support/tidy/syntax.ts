/** The little of a syntax tree (ESTree with TypeScript's nodes) that the tidy rules look at. */
import type { SourceFile } from './house.ts';

export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

const isNode = (value: unknown): value is SyntaxNode =>
  typeof value === 'object' && value !== null && 'type' in value && 'start' in value;

/** The nodes directly below, in the order of the text. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (const value of Object.values(node))
    if (isNode(value)) children.push(value);
    else if (Array.isArray(value)) children.push(...value.filter(isNode));
  return children;
}

/** Visits the node and all below it; `ancestors` has the parent last. */
export function walk(
  node: SyntaxNode,
  visit: (node: SyntaxNode, ancestors: readonly SyntaxNode[]) => void,
  ancestors: readonly SyntaxNode[] = [],
): void {
  visit(node, ancestors);
  const below = [...ancestors, node];
  for (const child of childrenOf(node)) walk(child, visit, below);
}

/** The node in a field, if there is one. */
export function nodeIn(node: SyntaxNode, field: string): SyntaxNode | undefined {
  const value = node[field];
  return isNode(value) ? value : undefined;
}

/** The nodes in a field that holds a list. */
export function nodesIn(node: SyntaxNode, field: string): readonly SyntaxNode[] {
  const value = node[field];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The name of an identifier, or the text of a string literal. */
export function nameOf(node: SyntaxNode | undefined): string | undefined {
  const name = node?.type === 'Identifier' ? node['name'] : node?.['value'];
  return typeof name === 'string' ? name : undefined;
}

export interface Import {
  readonly specifier: string;
  /** What is imported by name as a value, without renaming. */
  readonly values: readonly string[];
  readonly isTypeOnly: boolean;
  /** `import(…)`: loaded when it is reached, not before the module runs. */
  readonly isDynamic: boolean;
  readonly line: number;
}

const isTypeStatement = (node: SyntaxNode): boolean => {
  if (node['importKind'] === 'type' || node['exportKind'] === 'type') return true;
  const specifiers = nodesIn(node, 'specifiers');
  return (
    specifiers.length > 0 &&
    specifiers.every((one) => one['importKind'] === 'type' || one['exportKind'] === 'type')
  );
};

/** Static and dynamic imports, re-exports and `import('…')` types, in the order of the text. */
export function importsOf(file: SourceFile): Import[] {
  const imports: Import[] = [];
  walk(file.program, (node) => {
    if (
      !/^(Import(Declaration|Expression)|Export(All|Named)Declaration|TSImportType)$/.test(
        node.type,
      )
    )
      return;
    const source = nodeIn(node, 'source') ?? nodeIn(node, 'argument');
    const specifier = source?.type === 'Literal' ? nameOf(source) : undefined;
    if (specifier === undefined) return;
    const isTypeOnly = node.type === 'TSImportType' || isTypeStatement(node);
    const values = nodesIn(node, 'specifiers')
      .filter((one) => one['importKind'] !== 'type')
      .map((one) => nameOf(nodeIn(one, 'imported')) ?? '*');
    const isDynamic = node.type === 'ImportExpression';
    imports.push({ specifier, values, isTypeOnly, isDynamic, line: file.lineAt(node.start) });
  });
  return imports;
}

/** The project path that a relative specifier means; `undefined` for a package or a URL. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

const FUNCTION = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;

export const isFunction = (node: SyntaxNode): boolean => FUNCTION.test(node.type);

/** `object.property` as text for a plain member expression, else `undefined`. */
export function memberText(node: SyntaxNode): string | undefined {
  if (node.type !== 'MemberExpression' || node['computed'] === true) return undefined;
  const object = nodeIn(node, 'object');
  const property = nameOf(nodeIn(node, 'property'));
  const left = object?.type === 'MemberExpression' ? memberText(object) : nameOf(object);
  return left === undefined || property === undefined ? undefined : `${left}.${property}`;
}

/** Looks for private keys and secrets of a running mesh where nobody may find them. */
import { createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { homePaths } from '../../../runtime/home.ts';
import type { Mesh } from '../../../runtime/mesh.ts';

/** Fewer mean that the files were not found: an edge, a node and one instance have more. */
const CANARIES_MIN = 10;

/** Of a machine's snapshot what belongs to it alone; the machine itself is code. */
const dataOf = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'machine' in value && 'context' in value
    ? { context: value.context }
    : value;

/** Private keys and secrets are in their own files, and nowhere else that anybody could look at. */
export async function keysFoundIn(
  home: string,
  mesh: Mesh,
  told: readonly unknown[],
): Promise<readonly string[]> {
  const { instances } = homePaths(home);
  const canaries = new Map<string, string>();
  const note = (name: string, bytes: Buffer): void => {
    for (const form of ['base64', 'hex', 'latin1'] as const)
      canaries.set(bytes.toString(form), `${name} as ${form}`);
  };
  for (const folder of [
    join(home, 'edge'),
    ...readdirSync(instances).map((id) => join(instances, id)),
  ]) {
    const identity = join(folder, 'identity');
    const key = createPrivateKey(readFileSync(join(identity, 'key.pem')));
    const { d = '' } = key.export({ format: 'jwk' });
    note(`the key of ${folder}`, Buffer.from(d, 'base64url'));
    // A line of the PEM, as a log would have it.
    const [line = ''] = readFileSync(join(identity, 'key.pem'), 'latin1').split('\n').slice(2);
    canaries.set(line, `the PEM of ${folder}`);
    if (existsSync(join(identity, 'secret')))
      note(`the secret of ${folder}`, readFileSync(join(identity, 'secret')));
  }
  const { d: nodeKey = '' } = createPrivateKey(
    readFileSync(join(homePaths(home).keys, 'node.key')),
  ).export({ format: 'jwk' });
  note('the node key', Buffer.from(nodeKey, 'base64url'));

  const places = new Map<string, string>();
  for (const file of readdirSync(home, { recursive: true, withFileTypes: true })) {
    const path = join(file.parentPath, file.name);
    const isTheirs = /\/identity\/|\/keys\//.test(path);
    if (file.isFile() && !isTheirs) places.set(path, readFileSync(path, 'latin1'));
  }
  for (const { pid, role } of await mesh.ps())
    for (const name of role === 'active' ? ['cmdline', 'environ'] : [])
      places.set(`/proc/${pid}/${name}`, readFileSync(`/proc/${pid}/${name}`, 'latin1'));
  places.set('the tree', JSON.stringify(await mesh.describe()));
  for (const [at, entry] of told.entries())
    places.set(`entry ${at}`, JSON.stringify(entry, dataOf));
  places.set('the certificates', JSON.stringify(await mesh.certificates()));
  places.set('the metrics', await mesh.metrics());
  const found = [...places].flatMap(([place, content]) =>
    [...canaries]
      .filter(([secret]) => content.includes(secret))
      .map(([, name]) => `${name} in ${place}`),
  );
  if (canaries.size < CANARIES_MIN) throw new Error('There are too few keys to look for.');
  return found;
}

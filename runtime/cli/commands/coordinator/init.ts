import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { writeAtomically } from '../../../spore/durable.ts';
import { readPublicKey } from '../../../adapters/keys.fs.ts';
import {
  CONFIG_DEFAULTS,
  optionsOf,
  writeCoordinatorConfig,
} from '../../../coordinator/coordinator-config.ts';
import type { CoordinatorConfig } from '../../../coordinator/coordinator-config.ts';
import { coordinatorPaths, ensureNodeKey } from '../../../coordinator/coordinator-identity.ts';
import { manifestOf, manifestText } from '../../../coordinator/manifest-template.ts';
import { coordinatorName } from '../../../coordinator/names.ts';
import { generateOwnerKey } from '../../../coordinator/owner-keys.ts';
import { nodeKeyOf } from '../../../certificates/coordinator-link.ts';
import type { Invocation, Run } from '../../command.ts';
import { folderOf, parseAddress } from '../../coordinator/target.ts';
import { text } from '../../option-values.ts';

const TRUST_DOMAIN = 'mesh.local';
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Makes a Coordinator's folder: its key, its configuration, and what its owners begin with. */
export const run: Run = async (invocation) => {
  const { options, out } = invocation;
  const folder = folderOf(invocation);
  const paths = coordinatorPaths(folder);
  const config = configOf(invocation);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await writeCoordinatorConfig(folder, config);
  const key = await ensureNodeKey(paths.keys);
  const made = {
    folder,
    name: config.name ?? coordinatorName(key),
    nodeKey: hex(key.publicKey),
    history: optionsOf(folder, config).history?.folder,
  };
  if (options['join'] === true) {
    out.data({ ...made, manifest: null, owners: null }, () => made.nodeKey);
    out.note(
      `Made ${folder}, which joins a mesh. Let its owner name the node key above in the manifest,` +
        ` under the policy of coordinators and under referenceValues; then: mesh coordinator start`,
    );
    return;
  }
  const owners = await ownersOf(paths.keys);
  const manifest = join(folder, 'manifest.json');
  const template = manifestOf({
    trustDomain: text(options['trustDomain']) ?? TRUST_DOMAIN,
    coordinatorKeys: [made.nodeKey, ...otherKeys(text(options['peerKeys']))],
    nodeKeys: [hex((await nodeKeyOf(invocation.home)).publicKey)],
    workloads: [],
    workloadOwner: owners.workload.publicKey,
    seedShareOwner: owners.seedShare.publicKey,
  });
  await writeAtomically(manifest, (file) => file.writeFile(manifestText(template)));
  const files = {
    workloadOwner: owners.workload.keyPath,
    seedShareOwner: owners.seedShare.keyPath,
  };
  out.data({ ...made, manifest, owners: files }, () => manifest);
  out.note(next(folder, Object.values(files)));
};

function configOf({ options }: Invocation): CoordinatorConfig {
  const listen = text(options['listen']);
  const history = text(options['history']);
  const name = text(options['name']);
  return {
    ...CONFIG_DEFAULTS,
    ...(name !== undefined && { name }),
    ...(listen !== undefined && parseAddress('listen', listen)),
    history: {
      store: options['store'] === 'fs' ? 'fs' : 'sqlite',
      folder: history ?? CONFIG_DEFAULTS.history.folder,
    },
  };
}

async function ownersOf(keys: string) {
  const [workload, seedShare] = await Promise.all([
    generateOwnerKey(keys, 'workload-owner'),
    generateOwnerKey(keys, 'seed-share-owner'),
  ]);
  return { workload, seedShare };
}

/** Public keys of other Coordinators, from their files. */
const otherKeys = (files: string | undefined): readonly string[] =>
  (files ?? '')
    .split(',')
    .filter((file) => file !== '')
    .map((file) => hex(readPublicKey(file).publicKey));

function next(folder: string, keys: readonly string[]): string {
  const here = relative(process.cwd(), folder) || '.';
  const at = here === join('.mesh', 'coordinator') ? '' : ` --folder ${here}`;
  return [
    `Made a Coordinator in ${folder}. Its owners' keys are secret: keep copies elsewhere.`,
    ...keys.map((key) => `  ${key}`),
    'Next:',
    `  mesh coordinator start${at}`,
    `  mesh coordinator set-manifest ${join(here, 'manifest.json')}${at}`,
    `  mesh coordinator verify${at}`,
  ].join('\n');
}

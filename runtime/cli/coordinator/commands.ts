/** The commands of a Coordinator and its owners, as data. */
import type { CommandSpec, OptionSpec } from '../command.ts';

const COORDINATOR_FOLDER: OptionSpec = {
  flags: '--folder <dir>',
  summary: 'of the Coordinator (default coordinator in the state folder)',
};
const COORDINATOR_TARGET: readonly OptionSpec[] = [
  COORDINATOR_FOLDER,
  { flags: '--address <host:port>', summary: 'of another one (default where that folder runs)' },
];
const COORDINATOR_MANIFEST: OptionSpec = {
  flags: '--manifest <file>',
  summary: 'what it must prove by (default manifest.json in its folder)',
};

/** Their rows in the table of all commands. */
export const COORDINATOR_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'coordinator init',
    summary: 'make a Coordinator here: its key, a first manifest, the keys of its owners',
    options: [
      COORDINATOR_FOLDER,
      { flags: '--name <name>', summary: 'unique among peers (default one from its key)' },
      { flags: '--listen <host:port>', summary: 'where it serves (default 127.0.0.1:7443)' },
      { flags: '--history <dir>', summary: 'shared with its peers (default in its folder)' },
      {
        flags: '--store <store>',
        summary: 'how the history is kept (default sqlite)',
        choices: ['sqlite', 'fs'],
      },
      { flags: '--trust-domain <name>', summary: 'of the SPIFFE IDs (default mesh.local)' },
      { flags: '--peer-keys <files>', summary: 'node.pub of other Coordinators, with commas' },
      { flags: '--join', summary: 'another Coordinator of a mesh that has its owners' },
    ],
    examples: [
      'mesh coordinator init',
      'mesh coordinator init --folder two --history ../shared --join --listen 127.0.0.1:7444',
    ],
    load: () => import('../commands/coordinator/init.ts'),
  },
  {
    name: 'coordinator start',
    summary: 'run a Coordinator in the foreground until SIGTERM or Ctrl-C',
    options: [
      COORDINATOR_FOLDER,
      { flags: '--listen <host:port>', summary: 'where it serves (default as init said)' },
      {
        flags: '--recovery-wait-ms <ms>',
        summary: 'before each round of asking peers (default 15000)',
      },
    ],
    examples: ['mesh coordinator start', 'mesh coordinator start --listen 0.0.0.0:7443'],
    load: () => import('../commands/coordinator/start.ts'),
  },
  {
    name: 'coordinator set-manifest',
    summary: 'set the first manifest, or replace it as its owner',
    args: [{ name: '<file>', summary: 'the manifest, JSON; its exact bytes count' }],
    options: [
      ...COORDINATOR_TARGET,
      { flags: '--previous <transition>', summary: 'what is replaced; none for the first one' },
      { flags: '--key <file>', summary: "a workload owner's (default in its folder)" },
      { flags: '--policies <files>', summary: 'policy documents that it names, with commas' },
      { flags: '-o, --out <dir>', summary: 'for seed shares (default seed-shares in its folder)' },
    ],
    examples: [
      'mesh coordinator set-manifest manifest.json',
      'mesh coordinator set-manifest next.json --previous 3f2a… --key owner.key',
    ],
    load: () => import('../commands/coordinator/set-manifest.ts'),
  },
  {
    name: 'coordinator allow',
    summary: 'name a spore in a manifest, so that its instances get certificates',
    args: [{ name: '<file>', summary: 'the spore; it is verified first' }],
    options: [
      COORDINATOR_FOLDER,
      {
        flags: '--manifest <file>',
        summary: 'what is changed (default manifest.json in its folder)',
      },
    ],
    examples: ['mesh coordinator allow hello-1.spore'],
    load: () => import('../commands/coordinator/allow.ts'),
  },
  {
    name: 'coordinator verify',
    summary: 'check a Coordinator: evidence, history, manifest, authority, root',
    options: [
      ...COORDINATOR_TARGET,
      COORDINATOR_MANIFEST,
      { flags: '-o, --out <dir>', summary: 'for what it serves (default verified in its folder)' },
    ],
    examples: ['mesh coordinator verify --address mesh.example:7443 --manifest manifest.json'],
    load: () => import('../commands/coordinator/verify.ts'),
  },
  {
    name: 'coordinator recover',
    summary: 'bring a Coordinator back with a seed share',
    options: [
      ...COORDINATOR_TARGET,
      COORDINATOR_MANIFEST,
      { flags: '--share <file>', summary: 'the sealed share (default the one in its folder)' },
      { flags: '--key <file>', summary: "a seed share owner's (default in its folder)" },
      { flags: '--force', summary: 'also while a peer is ready; the mesh key becomes another' },
    ],
    examples: [
      'mesh coordinator recover',
      'mesh coordinator recover --share my.share --key my.key',
    ],
    load: () => import('../commands/coordinator/recover.ts'),
  },
  {
    name: 'coordinator status',
    summary: 'show how a Coordinator is doing, and why it is not ready',
    options: COORDINATOR_TARGET,
    examples: ['mesh coordinator status --address 127.0.0.1:7443'],
    load: () => import('../commands/coordinator/status.ts'),
  },
  {
    name: 'cert show',
    summary: 'show what certificates say, and who signed them',
    args: [{ name: '<file>', summary: 'PEM or DER; - reads stdin' }],
    examples: ['mesh cert show "$MESH_CERT_FILE"', 'mesh cert show -'],
    load: () => import('../commands/coordinator/cert-show.ts'),
  },
];

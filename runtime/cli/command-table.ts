/** All commands as data: the help, the completion and the dispatch are made from this. */
import type { CommandSpec, OptionSpec } from './command.ts';
import { COORDINATOR_COMMANDS } from './coordinator/commands.ts';
import { GOSSIP_COMMANDS, GOSSIP_GROUPS, NODE_PEER } from './gossip/commands.ts';

export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { flags: '--json', summary: 'data and errors as JSON on stdout' },
  { flags: '--home <dir>', summary: 'state folder (MESH_HOME, default .mesh)' },
  { flags: '--config <file>', summary: 'project file (MESH_CONFIG, default mesh.toml)' },
  {
    flags: '--progress <mode>',
    summary: 'progress on stderr (default auto)',
    choices: ['auto', 'tty', 'plain', 'quiet'],
  },
];

/** Commands of several words. */
export const GROUPS: Readonly<Record<string, string>> = {
  cert: 'look at certificates',
  coordinator: 'run and own what issues mesh certificates',
  machine: 'list, draw and test state machines',
  trust: 'say whose spores may run',
  ...GOSSIP_GROUPS,
};

const APP = { name: '<app>', summary: 'name of the app' };
const FOLLOW: readonly OptionSpec[] = [
  { flags: '-d, --detach', summary: 'do not wait for the end of the deployment' },
  { flags: '--timeout <seconds>', summary: 'follow for at most this long (default 600)' },
];
const SERVING: readonly OptionSpec[] = [
  {
    flags: '-p, --port <port>',
    summary: 'port of the edge on 127.0.0.1 (MESH_PORT, default 8080)',
  },
  { flags: '-n, --nodes <count>', summary: 'agents in this process (MESH_NODES, default 3)' },
  { flags: '--admin-port <port>', summary: 'serve /metrics, /livez and /readyz on 127.0.0.1' },
];
const ALLOW_SEND: OptionSpec = {
  flags: '--allow-send',
  summary: 'let `mesh send` send events to actors; each goes to the log',
};

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'dev',
    summary: 'run a whole mesh here, with a sample service deployed',
    options: [
      ...SERVING,
      ALLOW_SEND,
      { flags: '--inspect-port <port>', summary: 'of the inspector (default a free one)' },
      ...NODE_PEER,
      { flags: '--feed-port <port>', summary: 'of the page of messages (default a free one)' },
      { flags: '--ephemeral', summary: 'keep the state in a temporary folder, removed at the end' },
    ],
    examples: ['mesh dev', 'mesh dev --ephemeral --nodes 5 --port 9000'],
    load: () => import('./commands/dev.ts'),
  },
  {
    name: 'up',
    summary: 'run a mesh in the foreground until SIGTERM or Ctrl-C',
    options: [
      ...SERVING,
      ...NODE_PEER,
      ALLOW_SEND,
      {
        flags: '--coordinator <address>',
        summary: 'HOST:PORT of the Coordinator that gives certificates (MESH_COORDINATOR)',
      },
      {
        flags: '--coordinator-key <hex>',
        summary: 'its public key, without which nobody is believed (MESH_COORDINATOR_KEY)',
      },
      {
        flags: '--on-runtime-death <what>',
        summary: 'what becomes of instances when this process dies (default keep)',
        choices: ['keep', 'kill'],
      },
    ],
    examples: ['mesh up --port 8080 --nodes 3', 'MESH_HOME=/var/lib/mesh mesh up'],
    load: () => import('./commands/up.ts'),
  },
  {
    name: 'keygen',
    summary: 'make a signing key: NAME.key (0600) and NAME.pub',
    args: [{ name: '<name>', summary: 'lower-case letters, digits and inner hyphens' }],
    examples: ['mesh keygen alice'],
    load: () => import('./commands/keygen.ts'),
  },
  {
    name: 'trust add',
    summary: 'let a key sign spores',
    args: [{ name: '<file>', summary: 'the public key, NAME.pub' }],
    options: [{ flags: '--app <app>', summary: 'for this app alone (default every app)' }],
    examples: ['mesh trust add alice.pub', 'mesh trust add bob.pub --app hello'],
    load: () => import('./commands/trust-add.ts'),
  },
  {
    name: 'trust ls',
    summary: 'list the trusted keys',
    load: () => import('./commands/trust-ls.ts'),
  },
  {
    name: 'trust rm',
    summary: 'trust a key no longer',
    args: [{ name: '<name>', summary: 'name or id of the key' }],
    load: () => import('./commands/trust-rm.ts'),
  },
  {
    name: 'build',
    summary: 'pack and sign a binary as a spore',
    args: [{ name: '<binary>', summary: 'the program: a script or an executable' }],
    options: [
      { flags: '-m, --manifest <file>', summary: 'what to run and how, as JSON', isRequired: true },
      { flags: '-k, --key <file>', summary: 'the signing key, NAME.key', isRequired: true },
      { flags: '-o, --out <file>', summary: 'the spore (default NAME-VERSION.spore)' },
      {
        flags: '--created-at <time>',
        summary: 'RFC 3339 in UTC seconds, for the same bytes again',
      },
    ],
    examples: ['mesh build -m manifest.json server.js --key alice.key -o hello.spore'],
    load: () => import('./commands/build.ts'),
  },
  {
    name: 'verify',
    summary: 'check a spore: format, digest, signature, trust, policy',
    args: [{ name: '<file>', summary: 'the spore' }],
    options: [
      { flags: '--app <app>', summary: 'as which app (default the name in its manifest)' },
      { flags: '--digest <digest>', summary: 'the digest that it must have' },
    ],
    load: () => import('./commands/verify.ts'),
  },
  {
    name: 'publish',
    summary: 'verify a spore and put it into the repo; prints its digest',
    args: [{ name: '<file>', summary: 'the spore' }],
    load: () => import('./commands/publish.ts'),
  },
  {
    name: 'run',
    summary: 'deploy a spore as an app, and follow until it serves',
    args: [APP, { name: '<spore>', summary: 'digest of a published spore, or a spore file' }],
    options: [
      { flags: '--min <count>', summary: 'instances that must be there (default 1)' },
      { flags: '--max <count>', summary: 'instances that there may be (default one per node)' },
      {
        flags: '--strategy <strategy>',
        summary: 'how to switch (default blue_green)',
        choices: ['blue_green', 'stop_first'],
      },
      { flags: '--any-name', summary: 'also a spore whose name is not APP' },
      { flags: '--max-instances <count>', summary: 'budget: instances over all nodes' },
      { flags: '--cpu <milli>', summary: 'budget: thousandths of a core over all nodes' },
      { flags: '--memory <mb>', summary: 'budget: MiB over all nodes' },
      ...FOLLOW,
      { flags: '-f, --follow', summary: 'with --json: a line for each step' },
    ],
    examples: ['mesh run hello 3f2a… --min 1 --max 3', 'mesh run hello hello.spore --detach'],
    load: () => import('./commands/run.ts'),
  },
  { name: 'ps', summary: 'list the instances', load: () => import('./commands/ps.ts') },
  {
    name: 'status',
    summary: 'show an app: what runs, and why not',
    args: [APP],
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'history',
    summary: 'list the deployments of an app and how they ended',
    args: [APP],
    load: () => import('./commands/history.ts'),
  },
  {
    name: 'logs',
    summary: "show the last lines of an app's instances",
    args: [APP],
    options: [
      { flags: '-f, --follow', summary: 'go on with new lines' },
      { flags: '--lines <count>', summary: 'last lines of each instance (default 50)' },
      { flags: '--instance <instance>', summary: 'of this instance alone' },
    ],
    examples: ['mesh logs hello -f', 'mesh logs hello --lines 200 --instance hello-1'],
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'tree',
    summary: 'draw the supervision tree: states, restarts, since when',
    load: () => import('./commands/tree.ts'),
  },
  {
    name: 'rollback',
    summary: 'go back to the revision before, or to a generation',
    args: [APP, { name: '[generation]', summary: 'of `mesh history` (default the last good one)' }],
    options: FOLLOW,
    load: () => import('./commands/rollback.ts'),
  },
  {
    name: 'scale',
    summary: 'change how many instances there are',
    args: [APP],
    options: [
      { flags: '--min <count>', summary: 'instances that must be there', isRequired: true },
      { flags: '--max <count>', summary: 'instances that there may be (default min)' },
      ...FOLLOW,
    ],
    examples: ['mesh scale hello --min 2 --max 6'],
    load: () => import('./commands/scale.ts'),
  },
  {
    name: 'restart',
    summary: 'replace the instances by new ones of the same revision',
    args: [APP],
    options: FOLLOW,
    load: () => import('./commands/restart.ts'),
  },
  {
    name: 'stop',
    summary: 'stop all instances, and keep the app known',
    args: [APP],
    load: () => import('./commands/stop.ts'),
  },
  {
    name: 'rm',
    summary: 'stop an app and forget it, with its history',
    args: [APP],
    load: () => import('./commands/rm.ts'),
  },
  ...COORDINATOR_COMMANDS,
  {
    name: 'inspect',
    summary: 'show the actors and their state charts in a browser',
    options: [
      { flags: '--port <port>', summary: 'on 127.0.0.1 (default a free one)' },
      { flags: '--allow-send', summary: 'let the page send events; each goes to its log' },
      { flags: '--stately', summary: 'also a socket for receivers of @statelyai/inspect' },
    ],
    examples: ['mesh inspect', 'mesh inspect --port 9091 --allow-send'],
    load: () => import('./commands/inspect/show.ts'),
  },
  {
    name: 'inspect record',
    summary: 'write down what happens in the mesh, until Ctrl-C',
    options: [
      { flags: '-o, --out <file>', summary: 'a new file (default mesh-TIME.jsonl)' },
      { flags: '--for <time>', summary: 'end by itself: 30s, 5min, 2h' },
    ],
    examples: ['mesh inspect record --for 30s', 'mesh inspect record -o night.jsonl'],
    load: () => import('./commands/inspect/record.ts'),
  },
  {
    name: 'inspect open',
    summary: 'show a recording in a browser; needs no running mesh',
    args: [{ name: '<file>', summary: 'made by `mesh inspect record`' }],
    options: [{ flags: '--port <port>', summary: 'on 127.0.0.1 (default a free one)' }],
    examples: ['mesh inspect open night.jsonl'],
    load: () => import('./commands/inspect/open.ts'),
  },
  {
    name: 'send',
    summary: 'send an event to an actor, where the mesh allows it',
    args: [
      { name: '<path>', summary: 'of the actor, as in `mesh tree`' },
      { name: '<event>', summary: 'as JSON, or a file with it' },
    ],
    examples: [
      `mesh send mesh/agents/node-1/hello '{"type":"stop"}'`,
      'mesh send mesh/edge event.json',
    ],
    load: () => import('./commands/send.ts'),
  },
  {
    name: 'machine ls',
    summary: 'list the state machines of this package',
    load: () => import('./commands/machine/ls.ts'),
  },
  {
    name: 'machine graph',
    summary: 'draw a state machine; needs no running mesh',
    args: [{ name: '<machine>', summary: 'a name from `machine ls`, or MODULE#EXPORT' }],
    options: [
      {
        flags: '--format <format>',
        summary: 'default: as the ending of --out says, else mermaid',
        choices: ['svg', 'mermaid', 'json'],
      },
      { flags: '-o, --out <file>', summary: 'write it there (default stdout)' },
    ],
    examples: [
      'mesh machine graph rollout -o rollout.svg',
      'mesh machine graph ./door.machine.ts#doorMachine --format mermaid',
    ],
    load: () => import('./commands/machine/graph.ts'),
  },
  ...GOSSIP_COMMANDS,
  {
    name: 'machine test',
    summary: 'do everything that a state machine can do; needs no running mesh',
    args: [{ name: '<machine>', summary: 'a name from `machine ls`, or MODULE#EXPORT' }],
    options: [
      {
        flags: '--model <module>',
        summary: 'MODULE#EXPORT with input, samples, outputs, serialize',
      },
      {
        flags: '--coverage [file]',
        summary: 'write which transitions were taken (default HOME/coverage)',
      },
    ],
    examples: [
      'mesh machine test ./door.machine.ts',
      'mesh machine test ./door.machine.ts --model ./door.model.ts#doorModel --coverage',
    ],
    load: () => import('./commands/machine/test.ts'),
  },
  {
    name: 'explain',
    summary: 'explain an error code, or list them all',
    args: [{ name: '[code]', summary: 'MESH_ERR_…' }],
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'doctor',
    summary: 'check whether a mesh can work here',
    options: SERVING.slice(0, 2),
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'completion',
    summary: 'print a completion script',
    args: [{ name: '<shell>', summary: 'bash, zsh or fish' }],
    examples: ['mesh completion bash > ~/.local/share/bash-completion/completions/mesh'],
    load: () => import('./commands/completion.ts'),
  },
];

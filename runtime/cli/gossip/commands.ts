/** The commands of peers, relays and messages, as data; part of the table of all commands. */
import type { CommandSpec, OptionSpec } from '../command.ts';

/** For the commands that run a node. */
export const NODE_PEER: readonly OptionSpec[] = [
  { flags: '--relay <url>', summary: 'through which messages are exchanged, http://HOST:PORT' },
  {
    flags: '--mesh-id <name>',
    summary: 'the mesh that messages belong to (MESH_ID, default mesh)',
  },
  { flags: '--announce', summary: 'post deployments, reverts and crash loops as messages' },
];
const MESH_ID: OptionSpec = {
  flags: '--mesh-id <name>',
  summary: 'the mesh that messages belong to (MESH_ID, default mesh)',
};
const RELAY: OptionSpec = {
  flags: '--relay <url>',
  summary: 'the relay, http://HOST:PORT (MESH_RELAY)',
};
const PEER = { name: '<peer>', summary: 'name, id, or the beginning of an id' };
const TEXT = { name: '<text>', summary: 'at most 64 KiB of UTF-8; - reads it from stdin' };
const WRITING: readonly OptionSpec[] = [
  { flags: '--ttl <seconds>', summary: 'how long it lives (default 604800, which is the longest)' },
  { flags: '--reply-to <id>', summary: 'the message that it answers' },
  MESH_ID,
];
const READING: readonly OptionSpec[] = [
  { flags: '--after <row>', summary: 'those after this row (see --json)' },
  MESH_ID,
];

export const GOSSIP_GROUPS: Readonly<Record<string, string>> = {
  msg: 'write and read messages',
  peer: 'run a peer, and say whom it asks',
  relay: 'keep messages for peers that are away',
};

export const GOSSIP_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'relay start',
    summary: 'run a relay in the foreground until SIGTERM or Ctrl-C',
    options: [
      { flags: '-p, --port <port>', summary: 'where it listens (default a free one)' },
      { flags: '--host <address>', summary: 'of this machine (default 127.0.0.1)' },
      { flags: '--public-url <url>', summary: 'how peers know it, where that differs' },
      MESH_ID,
    ],
    examples: ['mesh relay start --port 7070'],
    load: () => import('../commands/gossip/relay-start.ts'),
  },
  {
    name: 'peer start',
    summary: 'run a peer in the foreground until SIGTERM or Ctrl-C',
    options: [
      RELAY,
      MESH_ID,
      {
        flags: '--feed-port <port>',
        summary: 'open its page of messages there, 0 for a free port',
      },
    ],
    examples: ['mesh peer start --relay http://127.0.0.1:7070 --feed-port 0'],
    load: () => import('../commands/gossip/peer-start.ts'),
  },
  {
    name: 'peer id',
    summary: 'print the public key of this peer, for others to add',
    options: [MESH_ID],
    load: () => import('../commands/gossip/peer-id.ts'),
  },
  {
    name: 'peer status',
    summary: 'show what this peer holds, what waits, and what it refused',
    options: [MESH_ID],
    load: () => import('../commands/gossip/peer-status.ts'),
  },
  {
    name: 'peer add',
    summary: 'ask a peer for messages from now on',
    args: [{ name: '<key>', summary: 'its public key in 64 hex digits, or a file NAME.pub' }],
    options: [{ flags: '--name <name>', summary: 'what to call it' }, MESH_ID],
    examples: ['mesh peer add "$(mesh peer id --home ../other)" --name other'],
    load: () => import('../commands/gossip/peer-add.ts'),
  },
  {
    name: 'peer ls',
    summary: 'list the peers that are asked, and how that went',
    options: [MESH_ID],
    load: () => import('../commands/gossip/peer-ls.ts'),
  },
  {
    name: 'peer rm',
    summary: 'ask a peer no longer; its messages stay',
    args: [PEER],
    options: [MESH_ID],
    load: () => import('../commands/gossip/peer-rm.ts'),
  },
  {
    name: 'msg post',
    summary: 'write a public message; prints its id',
    args: [TEXT],
    options: WRITING,
    examples: ['mesh msg post "the door is open"', 'uptime | mesh msg post - --ttl 3600'],
    load: () => import('../commands/gossip/msg-post.ts'),
  },
  {
    name: 'msg send',
    summary: 'write to one peer, sealed; prints the id',
    args: [PEER, TEXT],
    options: [
      ...WRITING,
      { flags: '--group <name>', summary: 'seal it with the key groups/NAME.key instead' },
    ],
    examples: ['mesh msg send bob "the code is 4711"'],
    load: () => import('../commands/gossip/msg-send.ts'),
  },
  {
    name: 'msg ls',
    summary: 'list the newest messages, oldest of them first',
    options: [{ flags: '-n, --lines <count>', summary: 'how many (default 50)' }, ...READING],
    load: () => import('../commands/gossip/msg-ls.ts'),
  },
  {
    name: 'msg tail',
    summary: 'show messages as they arrive',
    options: [
      { flags: '-n, --lines <count>', summary: 'older ones to begin with (default 10)' },
      ...READING,
    ],
    examples: ['mesh msg tail --json --after 1200'],
    load: () => import('../commands/gossip/msg-tail.ts'),
  },
  {
    name: 'msg feed',
    summary: 'show the messages of a running peer in a browser',
    options: [{ flags: '-p, --port <port>', summary: 'where it listens (default a free one)' }],
    examples: ['mesh msg feed'],
    load: () => import('../commands/gossip/msg-feed.ts'),
  },
  {
    name: 'sync',
    summary: 'ask other peers now for what was missed',
    args: [{ ...PEER, name: '[peer]' }],
    options: [
      RELAY,
      MESH_ID,
      { flags: '--timeout <seconds>', summary: 'wait for at most this long (default 600)' },
    ],
    examples: ['mesh sync', 'mesh sync bob --timeout 60'],
    load: () => import('../commands/gossip/sync.ts'),
  },
];

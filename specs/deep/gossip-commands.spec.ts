/** Messages from the shell, and what a node says of itself to an operator who was away. */
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { startPeer } from '../../runtime/gossip/peer/start-peer.ts';
import type { MessageRow } from '../../runtime/gossip/message-view.ts';
import { startMeshCommand, mesh as meshCommand } from '../support/mesh/command.ts';
import { eventually } from '../support/gossip/eventually.ts';
import { deploy, meshWorld } from '../support/mesh/world.ts';
import { scratch } from '../support/scratch.ts';

/** A shell with a working folder, whose programs end with it. */
function shell() {
  const folder = scratch();
  const running: ChildProcess[] = [];
  const mesh = (...args: string[]) => meshCommand(args, { cwd: folder.path });
  return {
    mesh,
    /** The data of a command that must succeed. */
    data: async <Value>(...args: string[]): Promise<Value> => {
      const { exitCode, stdout, stderr } = await mesh(...args, '--json');
      expect([exitCode, args.join(' '), stderr]).toEqual([0, args.join(' '), expect.any(String)]);
      return JSON.parse(stdout) as Value;
    },
    /** A command that stays; resolves with its first line of data. */
    start: async <Value>(...args: string[]) => {
      const child = startMeshCommand([...args, '--json'], { cwd: folder.path });
      running.push(child);
      const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
      const said: string[] = [];
      lines.on('line', (line) => said.push(line));
      const [line] = (await once(lines, 'line')) as [string];
      return { child, said, first: JSON.parse(line) as Value };
    },
    [Symbol.asyncDispose]: async () => {
      for (const child of running.toReversed())
        if (child.exitCode === null && child.signalCode === null) {
          child.kill('SIGTERM');
          await once(child, 'exit');
        }
      folder[Symbol.dispose]();
    },
  };
}

/** What Bob's commands say of his messages, his peers and himself. */
async function bobIsShown(at: ReturnType<typeof shell>): Promise<void> {
  const listed = await at.mesh('msg', 'ls', '--home', 'bob');
  expect(listed.stdout).toMatch(/alice {2}hello, bob\n.* alice \(direct\) {2}the code is 4711\n$/);
  const peers = await at.mesh('peer', 'ls', '--home', 'bob');
  expect(peers.stdout).toMatch(/^NAME +PEER +STATE +LAST +.*\nalice +[0-9a-f]{12} +idle +done /);
  const status = await at.mesh('peer', 'status', '--home', 'bob');
  expect(status.stdout).toMatch(/^peer +[0-9a-f]{64} of mesh\nruns +as process \d+\nrelay +http/);
  expect(status.stdout).toMatch(/\nholds +2 messages, 0 not verified\nknows +1 peer, \d keys?\n/);
}

describe('messages from the shell', () => {
  it('go from one folder to another, through a relay, and are followed there', async () => {
    await using at = shell();
    const relay = await at.start<{ url: string }>('relay', 'start', '--home', 'relay');
    const { url } = relay.first;
    // Written where no peer runs, and there when one does.
    const { id } = await at.data<{ id: string }>('msg', 'post', 'hello, bob', '--home', 'alice');
    const alice = await at.start<{ publicKey: string; feedUrl: string }>(
      'peer',
      'start',
      '--home',
      'alice',
      '--relay',
      url,
      '--feed-port',
      '0',
    );
    expect(alice.first.feedUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=/);
    const feed = await at.mesh('msg', 'feed', '--home', 'alice');
    const [opened, asked] = [alice.first.feedUrl, feed.stdout].map((one) => new URL(one));
    expect([asked?.origin, asked?.search === opened?.search]).toEqual([opened?.origin, false]);
    const key = await at.mesh('peer', 'id', '--home', 'alice');
    expect(key.stdout).toBe(`${alice.first.publicKey}\n`);
    await at.data('peer', 'add', alice.first.publicKey, '--name', 'alice', '--home', 'bob');
    // No peer runs for bob: one is run for as long as it takes.
    const synced = await at.mesh('sync', '--home', 'bob', '--relay', url);
    expect([synced.exitCode, synced.stdout]).toEqual([0, 'alice: 1 message received\n']);
    expect(synced.stderr).toContain('1 of 1 peer, 1 received, 0 to come');
    const rows = await at.data<MessageRow[]>('msg', 'ls', '--home', 'bob');
    expect(rows.map((row) => [row.id, row.text, row.authorName])).toEqual([
      [id, 'hello, bob', 'alice'],
    ]);

    const bob = await at.start<{ publicKey: string }>(
      'peer',
      'start',
      '--home',
      'bob',
      '--relay',
      url,
    );
    await at.data('peer', 'add', bob.first.publicKey, '--name', 'bob', '--home', 'alice');
    const tail = await at.start<MessageRow>('msg', 'tail', '--home', 'bob', '--lines', '1');
    expect(tail.first.text).toBe('hello, bob');
    await at.data('msg', 'send', 'bob', 'the code is 4711', '--home', 'alice');
    await eventually('bob is told', () => Promise.resolve(tail.said.length === 2));
    const told = JSON.parse(tail.said[1] ?? '') as MessageRow;
    expect([told.kind, told.text, told.authorName]).toEqual([
      'direct',
      'the code is 4711',
      'alice',
    ]);
    await bobIsShown(at);
    await at.data('peer', 'rm', 'alice', '--home', 'bob');
    const again = await at.mesh('sync', 'alice', '--home', 'bob');
    expect(again.exitCode).toBe(3);

    tail.child.kill('SIGINT');
    await once(tail.child, 'exit');
    expect(tail.child.exitCode).toBe(130);
    relay.child.kill('SIGTERM');
    await once(relay.child, 'exit');
    expect(relay.child.exitCode).toBe(0);
  });

  it('say of a peer that does not answer that it did not', async () => {
    await using at = shell();
    const relay = await at.start<{ url: string }>('relay', 'start', '--home', 'relay');
    const { publicKey } = await at.data<{ publicKey: string }>('peer', 'id', '--home', 'away');
    await at.data('peer', 'add', publicKey, '--name', 'away', '--home', 'bob');
    const line = ['sync', '--home', 'bob', '--relay', relay.first.url, '--timeout', '1', '--json'];
    const { exitCode, stdout } = await at.mesh(...line);
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
    expect([exitCode, error.code]).toEqual([1, 'MESH_ERR_PEER_SYNC']);
    expect(error.message).toContain('away: not ended');
  });
});

describe('a node that announces', () => {
  it('tells an operator who was away what it deployed, reverted, and what looped', async () => {
    await using world = await meshWorld();
    const mesh = await world.start({ nodes: 1, peer: { announce: true } });
    const { publicKey = '', relay } = (await mesh.peer?.info()) ?? {};
    await deploy(mesh, await world.spore({ version: '1.0.0' }));
    await deploy(mesh, await world.spore({ version: '2.0.0', mode: 'exit:1' }));
    const killed = new Set<string>();
    const isLooping = async (): Promise<boolean> => {
      const [row] = await mesh.ps();
      if (row?.state === 'healthy' && row.pid !== null && !killed.has(row.instance)) {
        killed.add(row.instance);
        process.kill(row.pid, 'SIGKILL');
      }
      return (await mesh.status('hello')).state === 'crash_looping';
    };
    await eventually('it is in a crash loop', isLooping);
    await eventually('it serves again', async () => {
      const texts = (await mesh.peer?.messages())?.map(({ text }) => text ?? '') ?? [];
      return texts.some((text) => text.includes('serves again'));
    });

    const operator = await startPeer({ home: world.file('operator'), relay: relay?.url ?? '' });
    try {
      await operator.addPeer({ publicKey, name: 'node' });
      for await (const { isEnded } of operator.sync({})) if (isEnded) break;
      const texts = (await operator.messages()).map(({ text }) => text ?? '');
      const due = [
        /^deployed hello 1\.0\.0 \([0-9a-f]{12}\), generation 1, 3 of 3 serve$/,
        /^reverted hello 2\.0\.0 \([0-9a-f]{12}\), generation 2: MESH_ERR_/,
        /^hello is in a crash loop on node-1, restarted \d+ times/,
        /^hello serves again on node-1 after its crash loop$/,
      ];
      expect(texts).toEqual(due.map((one) => expect.stringMatching(one) as string));
    } finally {
      await operator.stop();
    }
  });
});

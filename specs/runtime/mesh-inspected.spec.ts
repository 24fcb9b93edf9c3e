/** A running mesh, asked and touched from outside. */
import { describe, expect, it } from 'vitest';
import type { MeshOptions } from '../../runtime/compose.ts';
import { startMesh } from '../../runtime/mesh.ts';
import { readRecording } from '../../runtime/web/recording/read-recording.ts';
import { scratch } from '../support/scratch.ts';
import { plainPage } from '../support/web/inspector-world.ts';

const PLANNER = 'mesh/planner';
const SEEN = { type: 'sweep.failed', message: 'as told' };

async function meshWorld(options: Partial<MeshOptions> = {}) {
  const dir = scratch();
  const page = await plainPage();
  const lines: string[] = [];
  const logger: MeshOptions['logger'] = ({ message }) => void lines.push(message);
  const mesh = await startMesh({ home: dir.path, port: 0, nodes: 1, logger, ...options });
  return {
    mesh,
    lines,
    pageDir: page.folder,
    [Symbol.asyncDispose]: async () => {
      await mesh.stop();
      await page[Symbol.asyncDispose]();
      dir[Symbol.dispose]();
    },
  };
}

describe('mesh.send', () => {
  it('is refused, until an inspector that may send runs', async () => {
    await using at = await meshWorld();
    const request = { path: PLANNER, event: SEEN };
    await expect(at.mesh.send(request)).rejects.toMatchObject({
      code: 'MESH_ERR_INSPECT_READ_ONLY',
      hint: 'Start it with --allow-send to send events.',
    });
    const { pageDir } = at;
    await at.mesh.inspect({ pageDir });
    await expect(at.mesh.send(request)).rejects.toMatchObject({
      code: 'MESH_ERR_INSPECT_READ_ONLY',
    });
    const { url, port } = await at.mesh.inspect({ pageDir, allowSend: true });
    await at.mesh.send(request);
    const entered = await fetch(url, { redirect: 'manual' });
    const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
    const log = await fetch(`http://127.0.0.1:${port}/api/log.jsonl`, { headers: { cookie } });
    expect(await log.text()).toContain('sent sweep.failed from the command line');
    expect(at.lines).toContain(`audit: ${PLANNER}: sweep.failed is sent from the command line`);
  });

  it('is allowed where the mesh was started so, and says that nobody is there', async () => {
    await using at = await meshWorld({ allowSend: true });
    await at.mesh.send({ path: PLANNER, event: SEEN });
    await expect(at.mesh.send({ path: 'mesh/nobody', event: SEEN })).rejects.toMatchObject({
      code: 'MESH_ERR_INSPECT_UNKNOWN',
    });
  });
});

describe('mesh.record', () => {
  it('writes down what happens for as long as was asked', async () => {
    await using at = await meshWorld({ allowSend: true });
    const lines: string[] = [];
    for await (const line of at.mesh.record({ forMs: 300 })) {
      lines.push(line);
      if (lines.filter((one) => one.includes('"rows"')).length === 1 && line.includes('"rows"'))
        await at.mesh.send({ path: PLANNER, event: SEEN });
    }
    const { info, machines, log } = readRecording(lines.join('\n'));
    expect(info).toMatchObject({ title: 'mesh', end: 'asked' });
    expect([...machines.keys()]).toEqual(expect.arrayContaining(['planner', 'agent']));
    expect(log.some(({ text }) => text === 'sweep.failed')).toBe(true);
  });
});

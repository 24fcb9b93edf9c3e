import { createMachine } from 'xstate';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { startTree } from '../../runtime/index.ts';
import { plainPage } from '../support/web/inspector-world.ts';

const spec = {
  id: 'house',
  type: 'supervisor',
  children: [{ id: 'lamp', logic: createMachine({ id: 'lamp' }) }],
} as const;

describe('startTree with inspect', () => {
  it('shows the tree at an address that works once, until the tree ends', async () => {
    await using page = await plainPage();
    const tree = await startTree(spec, { inspect: { pageDir: page.folder, title: 'mine' } });
    expectTypeOf(tree.inspector.url).toBeString();
    const { url, port } = tree.inspector;
    const response = await fetch(url, { redirect: 'manual' });
    const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? '';
    const rows = await fetch(`http://127.0.0.1:${port}/api/tree`, { headers: { cookie } });
    expect(await rows.json()).toMatchObject([{ path: 'house' }, { path: 'house/lamp' }]);
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(tree.inspector.invite(), { redirect: 'manual' })).status).toBe(303);
    const other = startTree(spec, { inspect: { pageDir: page.folder, port } });
    await expect(other).rejects.toMatchObject({ code: 'MESH_ERR_INSPECT_PORT' });
    await tree.stop();
    await expect
      .poll(
        () =>
          fetch(url).then(
            () => 'open',
            () => 'closed',
          ),
        { timeout: 5_000 },
      )
      .toBe('closed');
  });

  it('has no inspector unless one is asked for', async () => {
    const tree = await startTree(spec);
    expect(tree).not.toHaveProperty('inspector');
    await tree.stop();
  });
});

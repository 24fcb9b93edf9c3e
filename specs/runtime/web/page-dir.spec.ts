import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { pageDir } from '../../../runtime/web/page-dir.ts';
import { scratch } from '../../support/scratch.ts';

describe('pageDir', () => {
  it('is where the package has the built page', async () => {
    using dir = scratch();
    writeFileSync(dir.file('index.html'), '');
    const absent = pathToFileURL(dir.file('no-builder.mjs'));
    expect(await pageDir(`${dir.path}/`, absent)).toBe(`${dir.path}/`);
  });

  it('says that there is none, or that it cannot be built', async () => {
    using dir = scratch();
    const builder = dir.file('builder.mjs');
    const refused = { code: 'MESH_ERR_INSPECT_PAGE' };
    await expect(pageDir(`${dir.path}/`, pathToFileURL(builder))).rejects.toMatchObject(refused);
    writeFileSync(builder, 'export const buildPage = async () => { throw new Error("broken"); };');
    await expect(pageDir(`${dir.path}/`, pathToFileURL(builder))).rejects.toMatchObject({
      ...refused,
      cause: { message: 'broken' },
    });
  });
});

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inspectError } from './errors.ts';

/** Beside this file, in the package and, once built, in a clone. */
const BUILT = fileURLToPath(new URL('dist/', import.meta.url));
/** Only a clone has it. */
const BUILDER = new URL('../../.ci/page.mjs', import.meta.url);

/** The folder of the built page; in a clone it is built at the first use. MESH_ERR_INSPECT_PAGE. */
export async function pageDir(built = BUILT, builder = BUILDER): Promise<string> {
  if (existsSync(fileURLToPath(builder))) await build(builder);
  if (existsSync(`${built}index.html`)) return built;
  throw inspectError('MESH_ERR_INSPECT_PAGE', `There is no page of the inspector in ${built}.`);
}

async function build(builder: URL): Promise<void> {
  try {
    const { buildPage } = (await import(builder.href)) as { buildPage: () => Promise<void> };
    await buildPage();
  } catch (cause) {
    throw inspectError('MESH_ERR_INSPECT_PAGE', 'Building the page of the inspector failed.', {
      cause,
    });
  }
}

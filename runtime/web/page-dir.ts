import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inspectError } from './errors.ts';

/** Beside this file, in the package and, once built, in a clone. */
const BUILT = fileURLToPath(new URL('dist/', import.meta.url));
/** Only a clone has it. */
const BUILDER = new URL('../../.ci/page.mjs', import.meta.url);

/** The folder of the built page; in a clone it is built at the first use. MESH_ERR_INSPECT_PAGE. */
export async function pageDir(): Promise<string> {
  if (existsSync(fileURLToPath(BUILDER))) await build();
  if (existsSync(`${BUILT}index.html`)) return BUILT;
  throw inspectError('MESH_ERR_INSPECT_PAGE', `There is no page of the inspector in ${BUILT}.`);
}

async function build(): Promise<void> {
  try {
    const { buildPage } = (await import(BUILDER.href)) as { buildPage: () => Promise<void> };
    await buildPage();
  } catch (cause) {
    throw inspectError('MESH_ERR_INSPECT_PAGE', 'Building the page of the inspector failed.', {
      cause,
    });
  }
}

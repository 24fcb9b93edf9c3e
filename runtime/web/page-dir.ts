import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inspectError } from './errors.ts';

/** Beside this file, in the package and, once built, in a clone. */
const BUILT = fileURLToPath(new URL('dist/', import.meta.url));
/** Only a clone has it. */
const BUILDER = new URL('../../.ci/page.mjs', import.meta.url);

/** The folder of the built feed, as `pageDir` gives that of the inspector. MESH_ERR_INSPECT_PAGE. */
export const feedPageDir = (): Promise<string> => pageDir(`${BUILT}feed/`, BUILDER, 'buildFeed');

/** The folder of the built page; in a clone it is built at the first use. MESH_ERR_INSPECT_PAGE. */
export async function pageDir(
  built = BUILT,
  builder = BUILDER,
  what: 'buildPage' | 'buildFeed' = 'buildPage',
): Promise<string> {
  if (existsSync(fileURLToPath(builder))) await build(builder, what);
  if (existsSync(`${built}index.html`)) return built;
  throw inspectError('MESH_ERR_INSPECT_PAGE', `There is no built page in ${built}.`);
}

async function build(builder: URL, what: 'buildPage' | 'buildFeed'): Promise<void> {
  try {
    const built = (await import(builder.href)) as Record<typeof what, () => Promise<void>>;
    await built[what]();
  } catch (cause) {
    throw inspectError('MESH_ERR_INSPECT_PAGE', 'Building the page failed.', {
      cause,
    });
  }
}

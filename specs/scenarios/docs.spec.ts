/** The README from top to bottom, as a newcomer types it, against a real mesh. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { processesIn } from '../support/docs/processes-in.ts';
import { runDocument } from '../support/docs/run-document.ts';
import { scratch } from '../support/scratch.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND = `${root}runtime/cli/main.ts`;

/** What `npm run -s mesh --` does in a clone, without its own start-up; other uses are faults. */
const NPM = `#!/bin/sh
[ "$1 $2 $3 $4" = "run -s mesh --" ] || { echo "unexpected: npm $*" >&2; exit 64; }
shift 4
exec mesh "$@"
`;
const MESH = `#!/bin/sh\nexec '${process.execPath}' '${COMMAND}' "$@"\n`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => {
    server.once('listening', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

describe('README.md', () => {
  it('is true when typed from top to bottom, and leaves no process', async () => {
    using folder = scratch();
    const bin = folder.file('bin');
    const cwd = folder.file('clone');
    for (const path of [bin, cwd]) mkdirSync(path);
    writeFileSync(`${bin}/npm`, NPM, { mode: 0o755 });
    writeFileSync(`${bin}/mesh`, MESH, { mode: 0o755 });
    const path = [bin, dirname(process.execPath), process.env['PATH'] ?? ''].join(':');
    const faults = await runDocument(readFileSync(`${root}README.md`, 'utf8'), {
      cwd,
      env: { PATH: path, HOME: folder.path, LC_ALL: 'C.UTF-8', NO_COLOR: '1' },
      replace: {
        '8080': String(await freePort()),
        '8090': String(await freePort()),
        '7443': String(await freePort()),
        '7070': String(await freePort()),
      },
    });
    expect(faults.join('\n')).toBe('');
    expect(processesIn(folder.path)).toEqual([]);
  });
});

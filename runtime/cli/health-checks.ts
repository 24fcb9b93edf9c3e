/** What `mesh doctor` looks at: one function a check, each with what was found and what to do. */
import { accessSync, constants, existsSync, statSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import semver from 'semver';
import { createTrustStore } from '../adapters/trust.fs.ts';
import { codeOf } from '../../machines/kernel/coded-error.ts';
import type { Settings } from '../config.ts';
import { connectControl } from '../control/client.ts';
import type { MeshInfo } from '../control/mesh-control.ts';
import { homePaths } from '../home.ts';
import { asCoded } from './output.ts';
import { byteCount, counted } from './format.ts';

export interface Finding {
  readonly check: string;
  /** `notice`: works, but somebody should know. */
  readonly verdict: 'ok' | 'notice' | 'failed';
  readonly found: string;
  /** What to do; null where there is nothing. */
  readonly advice: string | null;
}

/** Older minors accept small-order Ed25519 keys. */
const NODE_RANGE = '>=24.19';
/** Room for a few spores, their extracted binaries and their logs. */
const FREE_BYTES_MIN = 512 * 1024 * 1024;

const ok = (check: string, found: string): Finding => ({
  check,
  verdict: 'ok',
  found,
  advice: null,
});
const notice = (check: string, found: string, advice: string): Finding => ({
  check,
  verdict: 'notice',
  found,
  advice,
});
const failed = (check: string, found: string, advice: string): Finding => ({
  check,
  verdict: 'failed',
  found,
  advice,
});

/** Makes all checks; never rejects. */
export async function checkAll(settings: Settings): Promise<readonly Finding[]> {
  const mesh = await runningMesh(settings.home);
  return [
    checkNode(),
    checkPlatform(),
    checkSettings(settings),
    checkHome(settings.home),
    checkSpace(settings.home),
    mesh.finding,
    await checkPort(settings.port, mesh.info),
    await checkTrust(settings.home),
    checkProgram('setpriv', 'Without it, --on-runtime-death kill is refused: install util-linux.'),
  ];
}

function checkNode(): Finding {
  const found = process.version;
  if (semver.satisfies(found, NODE_RANGE)) return ok('node', found);
  return failed(
    'node',
    `${found}, ${NODE_RANGE} is due`,
    'Use the scripts of npm, or a newer Node.',
  );
}

function checkPlatform(): Finding {
  const found = `${process.platform} ${process.arch}`;
  if (process.platform === 'linux') return ok('platform', found);
  return failed('platform', found, 'Processes are identified through /proc: use Linux.');
}

function checkSettings({ sources, projectFile, port, nodes }: Settings): Finding {
  const from = (key: string): string => sources[key] ?? 'default';
  const file = projectFile === null ? 'no project file' : projectFile;
  return ok(
    'settings',
    `${file}; port ${String(port)} (${from('port')}), ${counted(nodes, 'node')} (${from('nodes')})`,
  );
}

function checkHome(home: string): Finding {
  const existing = existsSync(home) ? home : nearestFolder(home);
  try {
    accessSync(existing, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    return failed(
      'state folder',
      `${home}: ${codeOf(cause) ?? 'unusable'}`,
      'Choose another --home.',
    );
  }
  if (existing !== home) return ok('state folder', `${home}, made when it is needed`);
  const mode = statSync(home).mode & 0o777;
  if ((mode & 0o077) === 0) return ok('state folder', home);
  const octal = mode.toString(8);
  return notice(
    'state folder',
    `${home} has mode ${octal}`,
    `Others can look in: chmod 700 ${home}`,
  );
}

function checkSpace(home: string): Finding {
  const { bavail, bsize } = statfsSync(nearestFolder(home));
  const free = byteCount(bavail * bsize);
  if (bavail * bsize >= FREE_BYTES_MIN) return ok('space', `${free} free`);
  return failed('space', `${free} free`, 'Spores, instances and logs need room: free some.');
}

async function runningMesh(home: string): Promise<{ finding: Finding; info: MeshInfo | null }> {
  try {
    const info = await connectControl(home).info();
    const found = `process ${String(info.pid)}, version ${info.version}, ${info.edgeUrl}`;
    return { finding: ok('mesh', found), info };
  } catch (thrown) {
    const { code, message, hint } = asCoded(thrown);
    const isAbsent = code === 'MESH_ERR_CONTROL_UNREACHABLE';
    const finding = isAbsent
      ? notice('mesh', 'none runs in this state folder', hint)
      : failed('mesh', message, hint);
    return { finding, info: null };
  }
}

async function checkPort(port: number, info: MeshInfo | null): Promise<Finding> {
  if (info !== null) return ok('edge port', `${info.edgeUrl} is this mesh`);
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const server = createServer();
  server.once('error', (error) => {
    resolve(codeOf(error) ?? error.message);
  });
  server.listen(port, '127.0.0.1', () => {
    server.close(() => {
      resolve(null);
    });
  });
  const found = await promise;
  if (found === null) return ok('edge port', `${String(port)} is free`);
  return failed('edge port', `${String(port)}: ${found}`, 'Choose another --port, or 0 for any.');
}

async function checkTrust(home: string): Promise<Finding> {
  try {
    const keys = await createTrustStore(homePaths(home).trust).list();
    if (keys.length > 0) return ok('trust', counted(keys.length, 'key'));
    return notice(
      'trust',
      'no key is trusted, so nothing can be published',
      'mesh trust add NAME.pub',
    );
  } catch (thrown) {
    const { message, hint } = asCoded(thrown);
    return failed('trust', message, hint);
  }
}

function checkProgram(name: string, advice: string): Finding {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  const folder = folders.find((folder) => existsSync(join(folder, name)));
  return folder === undefined ? notice(name, 'not on PATH', advice) : ok(name, join(folder, name));
}

/** The folder itself, or what exists of its path. */
function nearestFolder(path: string): string {
  let folder = path;
  while (!existsSync(folder) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

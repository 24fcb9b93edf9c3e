// Makes a fresh clone ready. It runs on whatever Node the machine has (20 or newer): everything
// after it runs on the Node that the lockfile pins. `--for test|bench` adds Debian packages.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const ready = join(root, 'node_modules', '.ready');

/** Debian package by the program that it brings, and what is skipped or left out without it. */
const DEBIAN = {
  test: [
    { program: 'python3', debian: 'python3-minimal', without: 'the Python workload spec' },
    { program: 'chromium', debian: 'chromium', without: 'the specs of the inspector in a browser' },
    { program: 'setpriv', debian: 'util-linux', without: 'specs of onRuntimeDeath: kill' },
    { program: 'zip', debian: 'zip', without: 'specs against zip files of another writer' },
  ],
  bench: [
    { program: 'nginx', debian: 'nginx-light', without: 'the nginx column of the edge bench' },
    { program: 'caddy', debian: 'caddy', without: 'the caddy column of the edge bench' },
    { program: 'wrk', debian: 'wrk', without: 'the load of the edge bench' },
    { program: 'pigz', debian: 'pigz', without: 'the pigz column of the pack bench' },
    { program: 'zip', debian: 'zip', without: 'the zip column of the pack bench' },
    { program: 'unzip', debian: 'unzip', without: 'the unzip column of the unpack bench' },
    { program: 'igzip', debian: 'isal', without: 'the igzip column of the pack bench' },
    { program: 'openssl', debian: 'openssl', without: 'the openssl columns of hash and verify' },
    { program: 'erlc', debian: 'erlang-base', without: 'the OTP column of the runtime bench' },
  ],
};

const say = (text) => process.stderr.write(`setup: ${text}\n`);
const onPath = (program) =>
  (process.env.PATH ?? '').split(':').some((dir) => dir !== '' && existsSync(join(dir, program))) ||
  existsSync(join('/usr/sbin', program));

/** Generous, for a slow network; without it a dead mirror would hold `npm test` for ever. */
const NPM_TIMEOUT_MS = 20 * 60_000;
const APT_TIMEOUT_MS = 5 * 60_000;

function run(command, args, timeout, quiet = false) {
  const result = spawnSync(command, args, {
    cwd: root,
    timeout,
    // Data goes to stdout, and this is not data.
    stdio: ['ignore', quiet ? 'ignore' : 2, 2],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return result.status === 0;
}

function installPackages() {
  const lock = join(root, 'package-lock.json');
  if (existsSync(ready) && statSync(ready).mtimeMs > statSync(lock).mtimeMs) return;
  say('installing the packages of package-lock.json');
  // Under npm's own --silent, `npm ci` says nothing about a failure, so it is told to.
  const ci = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  if (!run('npm', ci, NPM_TIMEOUT_MS)) {
    say('`npm ci` failed; its own words stand above. Mend that, then run the same command again.');
    process.exit(1);
  }
  requireNode();
  writeFileSync(ready, `${new Date().toISOString()}\n`);
}

/** The lockfile pins a Node for Linux on x64 and arm64; elsewhere the machine's own must do. */
function requireNode() {
  if (existsSync(join(root, 'node_modules', '.bin', 'node'))) return;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 19)) return;
  say(`no Node is pinned for ${process.platform}-${process.arch}, and this is ${process.version}.`);
  say('Install Node 24.19 or newer, then run the same command again.');
  process.exit(1);
}

function installDebian(purpose) {
  const missing = (DEBIAN[purpose] ?? []).filter(({ program }) => !onPath(program));
  if (missing.length === 0) return;
  const names = missing.map(({ debian }) => debian);
  const isDebian =
    existsSync('/etc/os-release') &&
    /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
  if (isDebian && process.getuid?.() === 0) {
    say(`installing ${names.join(', ')}`);
    run('apt-get', ['update', '-qq'], APT_TIMEOUT_MS, true);
    const install = ['install', '-y', '-qq', '--no-install-recommends'];
    for (const name of names) run('apt-get', [...install, name], APT_TIMEOUT_MS, true);
  }
  for (const { program, debian, without } of missing.filter(({ program }) => !onPath(program)))
    say(`${program} is missing, so ${without} will be skipped; apt-get install ${debian}`);
}

installPackages();
const purpose = process.argv.indexOf('--for');
if (purpose !== -1) installDebian(process.argv[purpose + 1]);

/** What each command says to input that it cannot use: a code, a hint, and its exit code. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../runtime/cli/command-table.ts';
import { EXIT } from '../../runtime/cli/exit-code.ts';
import type { ExitCode } from '../../runtime/cli/exit-code.ts';
import { serveControl } from '../../runtime/control/server.ts';
import { startMesh } from '../../runtime/mesh.ts';
import { mesh } from '../support/mesh/command.ts';
import { scratch } from '../support/scratch.ts';
import type { Scratch } from '../support/scratch.ts';

/** A process of Node each; more at a time only wait for each other. */
const AT_ONCE = 4;
const DIGEST = '0'.repeat(64);
const MANIFEST = '{"name":"hello","version":"1.0.0","runtime":{"command":"{binary}"}}';

type Row = readonly [line: string, code: string, exit: ExitCode];

const USAGE = 'MESH_ERR_CLI_USAGE';

/** DIGEST is one that nobody published; the files are those of `writeFiles`. */
const ROWS: readonly Row[] = [
  ['dev --port 99999', USAGE, EXIT.usage],
  ['dev --nodes 0', USAGE, EXIT.usage],
  ['up --port abc', USAGE, EXIT.usage],
  ['up --nodes -1', USAGE, EXIT.usage],
  ['up --admin-port 70000', USAGE, EXIT.usage],
  ['up --on-runtime-death perhaps', USAGE, EXIT.usage],
  ['up --coordinator nowhere', USAGE, EXIT.usage],
  ['up --coordinator 127.0.0.1:7443', USAGE, EXIT.usage],
  ['up --coordinator-key abc', USAGE, EXIT.usage],
  ['keygen Alice', 'MESH_ERR_KEY_NAME', EXIT.usage],
  ['keygen ../alice', 'MESH_ERR_KEY_NAME', EXIT.usage],
  ['keygen alice', 'MESH_ERR_KEY_EXISTS', EXIT.conflict],
  ['trust add absent.pub', 'MESH_ERR_KEY_UNREADABLE', EXIT.failed],
  ['trust add junk', 'MESH_ERR_KEY_MALFORMED', EXIT.verification],
  ['trust add alice.pub --app Not.A.Name', 'MESH_ERR_TRUST_ENTRY', EXIT.usage],
  ['trust ls extra', USAGE, EXIT.usage],
  ['trust rm nobody', 'MESH_ERR_TRUST_UNKNOWN', EXIT.notFound],
  ['build service -m good.json', USAGE, EXIT.usage],
  ['build absent -m good.json -k alice.key', 'MESH_ERR_SPORE_UNREADABLE', EXIT.failed],
  ['build empty -m good.json -k alice.key', 'MESH_ERR_SPORE_UNREADABLE', EXIT.failed],
  ['build folder -m good.json -k alice.key', 'MESH_ERR_SPORE_UNREADABLE', EXIT.failed],
  ['build service -m absent.json -k alice.key', USAGE, EXIT.usage],
  ['build service -m junk -k alice.key', 'MESH_ERR_SPORE_JSON', EXIT.usage],
  ['build service -m bad.json -k alice.key', 'MESH_ERR_SPORE_MANIFEST', EXIT.usage],
  ['build service -m good.json -k absent.key', 'MESH_ERR_KEY_UNREADABLE', EXIT.failed],
  ['build service -m good.json -k junk', 'MESH_ERR_KEY_EXPOSED', EXIT.verification],
  ['build service -m good.json -k alice.pub', 'MESH_ERR_KEY_EXPOSED', EXIT.verification],
  ['build service -m good.json -k alice.key --created-at yesterday', USAGE, EXIT.usage],
  [
    'build service -m good.json -k alice.key -o folder/absent/x.spore',
    'MESH_ERR_SPORE_WRITE',
    EXIT.failed,
  ],
  ['verify absent.spore', 'MESH_ERR_SPORE_UNREADABLE', EXIT.failed],
  ['verify folder', 'MESH_ERR_SPORE_UNREADABLE', EXIT.failed],
  ['verify junk', 'MESH_ERR_CLI_VERIFICATION_FAILED', EXIT.verification],
  ['verify empty', 'MESH_ERR_CLI_VERIFICATION_FAILED', EXIT.verification],
  ['verify untrusted.spore', 'MESH_ERR_CLI_VERIFICATION_FAILED', EXIT.verification],
  ['verify untrusted.spore --digest abc', USAGE, EXIT.usage],
  ['publish absent.spore', 'MESH_ERR_SPORE_UNREADABLE', EXIT.failed],
  ['publish folder', 'MESH_ERR_SPORE_UNREADABLE', EXIT.failed],
  ['publish junk', 'MESH_ERR_SPORE_CONTAINER', EXIT.verification],
  ['publish untrusted.spore', 'MESH_ERR_SPORE_UNTRUSTED', EXIT.verification],
  ['run Hello DIGEST', USAGE, EXIT.usage],
  ['run hello abc', USAGE, EXIT.usage],
  ['run hello DIGEST', 'MESH_ERR_REPO_UNKNOWN', EXIT.notFound],
  ['run hello junk', 'MESH_ERR_SPORE_CONTAINER', EXIT.verification],
  ['run hello DIGEST --min two', USAGE, EXIT.usage],
  ['run hello DIGEST --min 3 --max 1', USAGE, EXIT.usage],
  ['run hello DIGEST --strategy all_at_once', USAGE, EXIT.usage],
  ['run hello DIGEST --cpu -5', USAGE, EXIT.usage],
  ['ps extra', USAGE, EXIT.usage],
  ['status', USAGE, EXIT.usage],
  ['status nobody', 'MESH_ERR_FABRIC_UNKNOWN_APP', EXIT.notFound],
  ['status Not.A.Name', 'MESH_ERR_CONTROL_INVALID_REQUEST', EXIT.usage],
  ['history nobody', 'MESH_ERR_FABRIC_UNKNOWN_APP', EXIT.notFound],
  ['logs nobody --lines -1', USAGE, EXIT.usage],
  ['logs nobody --lines 5', 'MESH_ERR_FABRIC_UNKNOWN_APP', EXIT.notFound],
  ['logs ../etc', USAGE, EXIT.usage],
  ['tree extra', USAGE, EXIT.usage],
  ['rollback nobody', 'MESH_ERR_FABRIC_UNKNOWN_APP', EXIT.notFound],
  ['rollback nobody first', USAGE, EXIT.usage],
  ['scale nobody --min 1', 'MESH_ERR_FABRIC_UNKNOWN_APP', EXIT.notFound],
  ['scale nobody --min 3 --max 1', USAGE, EXIT.usage],
  ['scale nobody', USAGE, EXIT.usage],
  ['restart nobody', 'MESH_ERR_FABRIC_UNKNOWN_APP', EXIT.notFound],
  ['stop nobody', 'MESH_ERR_FABRIC_UNKNOWN_APP', EXIT.notFound],
  ['rm nobody', 'MESH_ERR_FABRIC_UNKNOWN_APP', EXIT.notFound],
  ['coordinator init --listen nowhere', USAGE, EXIT.usage],
  ['coordinator init --store paper', USAGE, EXIT.usage],
  ['coordinator init --folder made', 'MESH_ERR_COORDINATOR_INITIALISED', EXIT.conflict],
  ['coordinator init --folder p --peer-keys junk', 'MESH_ERR_KEY_MALFORMED', EXIT.verification],
  ['coordinator start', 'MESH_ERR_COORDINATOR_CONFIG', EXIT.notFound],
  ['coordinator start --folder spoilt', 'MESH_ERR_COORDINATOR_CONFIG', EXIT.notFound],
  ['coordinator start --folder made --recovery-wait-ms 1', USAGE, EXIT.usage],
  ['coordinator set-manifest absent.json', 'MESH_ERR_CLI_INPUT', EXIT.failed],
  ['coordinator set-manifest junk', 'MESH_ERR_COORDINATOR_MANIFEST_INVALID', EXIT.usage],
  ['coordinator set-manifest made/manifest.json --previous abc', USAGE, EXIT.usage],
  [
    'coordinator set-manifest made/manifest.json --folder made',
    'MESH_ERR_TRANSPORT_CONNECT',
    EXIT.unreachable,
  ],
  ['coordinator allow junk', 'MESH_ERR_CLI_INPUT', EXIT.failed],
  [
    'coordinator allow untrusted.spore --folder made',
    'MESH_ERR_CLI_VERIFICATION_FAILED',
    EXIT.verification,
  ],
  ['coordinator verify --manifest junk', 'MESH_ERR_COORDINATOR_MANIFEST_INVALID', EXIT.usage],
  ['coordinator verify --folder made', 'MESH_ERR_TRANSPORT_CONNECT', EXIT.unreachable],
  ['coordinator recover --key absent.key', 'MESH_ERR_KEY_UNREADABLE', EXIT.failed],
  [
    'coordinator recover --key made/keys/workload-owner.key',
    'MESH_ERR_KEY_MALFORMED',
    EXIT.verification,
  ],
  ['coordinator recover --folder made', USAGE, EXIT.usage],
  [
    'coordinator recover --folder made --share junk',
    'MESH_ERR_COORDINATOR_SEED_MALFORMED',
    EXIT.verification,
  ],
  ['coordinator status --address nowhere', USAGE, EXIT.usage],
  ['coordinator status --address 127.0.0.1:1', 'MESH_ERR_TRANSPORT_CONNECT', EXIT.unreachable],
  ['coordinator status --folder folder', 'MESH_ERR_COORDINATOR_CONFIG', EXIT.notFound],
  ['cert show absent.pem', 'MESH_ERR_CLI_INPUT', EXIT.failed],
  ['cert show junk', 'MESH_ERR_CLI_INPUT', EXIT.failed],
  ['cert show -', 'MESH_ERR_CLI_INPUT', EXIT.failed],
  ['inspect --port 99999', USAGE, EXIT.usage],
  ['inspect record --for soon', USAGE, EXIT.usage],
  ['inspect record --for 1s -o junk', 'MESH_ERR_CLI_OUTPUT', EXIT.failed],
  ['inspect open absent.jsonl', 'MESH_ERR_INSPECT_RECORDING', EXIT.failed],
  ['inspect open junk', 'MESH_ERR_INSPECT_RECORDING', EXIT.failed],
  ['send mesh/planner junk', USAGE, EXIT.usage],
  ['send mesh/planner absent.json', USAGE, EXIT.usage],
  ['send mesh/planner {"kind":"x"}', USAGE, EXIT.usage],
  ['send', USAGE, EXIT.usage],
  ['send mesh/planner {"type":"x"}', 'MESH_ERR_INSPECT_READ_ONLY', EXIT.failed],
  ['machine ls extra', USAGE, EXIT.usage],
  ['machine graph nobody', 'MESH_ERR_CHART_UNKNOWN', EXIT.notFound],
  ['machine graph rollout --format pdf', USAGE, EXIT.usage],
  ['relay start --port 70000', USAGE, EXIT.usage],
  ['peer start', 'MESH_ERR_PEER_RELAY', EXIT.usage],
  ['peer start --relay somewhere', USAGE, EXIT.usage],
  ['peer start --feed-port no', USAGE, EXIT.usage],
  ['peer id --mesh-id My.Mesh', USAGE, EXIT.usage],
  ['peer add absent.pub', 'MESH_ERR_PEER_KEY', EXIT.usage],
  ['peer add junk', 'MESH_ERR_KEY_MALFORMED', EXIT.verification],
  ['peer add DIGEST', 'MESH_ERR_PEER_KEY', EXIT.usage],
  ['peer add DIGEST --name Not/A/Name', USAGE, EXIT.usage],
  ['peer status extra', USAGE, EXIT.usage],
  ['peer ls extra', USAGE, EXIT.usage],
  ['peer rm nobody', 'MESH_ERR_PEER_UNKNOWN', EXIT.notFound],
  ['msg post', USAGE, EXIT.usage],
  ['msg post hello --ttl 604801', USAGE, EXIT.usage],
  ['msg post hello --reply-to abc', USAGE, EXIT.usage],
  ['msg send nobody hello', 'MESH_ERR_PEER_UNKNOWN', EXIT.notFound],
  ['msg ls --lines 0', USAGE, EXIT.usage],
  ['msg feed --port 70000', USAGE, EXIT.usage],
  ['msg feed', 'MESH_ERR_PEER_NOT_RUNNING', EXIT.unreachable],
  ['msg tail', 'MESH_ERR_PEER_NOT_RUNNING', EXIT.unreachable],
  ['msg tail --after -1', USAGE, EXIT.usage],
  ['sync', 'MESH_ERR_PEER_RELAY', EXIT.usage],
  ['sync --timeout 0', USAGE, EXIT.usage],
  ['machine test nobody', 'MESH_ERR_CHART_UNKNOWN', EXIT.notFound],
  ['machine test instance', 'MESH_ERR_CHART_MODEL', EXIT.failed],
  ['machine test rollout', 'MESH_ERR_CHART_TEST_FAILED', EXIT.failed],
  ['machine test rollout --model absent.mjs', 'MESH_ERR_CHART_MODULE', EXIT.failed],
  ['explain MESH_ERR_NO_SUCH', 'MESH_ERR_CLI_UNKNOWN_CODE', EXIT.notFound],
  ['doctor --nodes none', USAGE, EXIT.usage],
  ['completion tcsh', USAGE, EXIT.usage],
  ['no-such-command', USAGE, EXIT.usage],
  ['--progress loud ps', USAGE, EXIT.usage],
  ['ps --config absent.toml', 'MESH_ERR_CLI_CONFIG_UNREADABLE', EXIT.usage],
];

async function writeFiles(dir: Scratch): Promise<void> {
  writeFileSync(dir.file('service'), '#!/bin/sh\n');
  writeFileSync(dir.file('junk'), 'no spore, no key, no manifest');
  writeFileSync(dir.file('empty'), '');
  writeFileSync(dir.file('good.json'), MANIFEST);
  writeFileSync(dir.file('bad.json'), MANIFEST.replace('hello', 'Not A Name'));
  mkdirSync(dir.file('folder'));
  mkdirSync(dir.file('spoilt'));
  writeFileSync(dir.file('spoilt/coordinator.json'), '{"version":2}');
  await mesh(['keygen', 'alice'], { cwd: dir.path });
  await mesh(['coordinator', 'init', '--folder', 'made'], { cwd: dir.path });
  await mesh(['build', '-m', 'good.json', 'service', '-k', 'alice.key', '-o', 'untrusted.spore'], {
    cwd: dir.path,
  });
}

async function refusalsOf(dir: Scratch, lines: readonly string[]): Promise<(Row | string)[]> {
  const found: (Row | string)[] = [];
  const left = lines.entries();
  const work = async (): Promise<void> => {
    for (const [index, line] of left) {
      const args = line.replace('DIGEST', DIGEST).split(' ');
      const { exitCode, stdout } = await mesh([...args, '--json'], { cwd: dir.path });
      const { error } = JSON.parse(stdout) as { error?: { code: string; hint: string } };
      const isHinted = (error?.hint ?? '').length > 0;
      found[index] = isHinted
        ? [line, error?.code ?? '', exitCode as ExitCode]
        : `${line}: no hint in ${stdout}`;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return found;
}

describe('mesh COMMAND with input that it cannot use', () => {
  it('says why by code, what to do, and ends with the code of that kind', async () => {
    using dir = scratch();
    await writeFiles(dir);
    const running = await startMesh({ home: dir.file('.mesh'), port: 0, nodes: 1 });
    const server = await serveControl(running, { home: dir.file('.mesh') });
    try {
      expect(
        await refusalsOf(
          dir,
          ROWS.map(([line]) => line),
        ),
      ).toEqual(ROWS);
    } finally {
      await server.close();
      await running.stop();
    }
  });

  it('is shown for every command', () => {
    const shown = ROWS.map(([line]) => line);
    const missing = COMMANDS.filter(
      ({ name }) => !shown.some((line) => line === name || line.startsWith(`${name} `)),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../runtime/cli/command-table.ts';
import { mesh } from '../../support/mesh/command.ts';
import { scratch } from '../../support/scratch.ts';

const HELP = `Usage: mesh [options] [command]

Run signed services on your own machines: supervised, blue/green, behind an
edge.

Options:
  -V, --version                          print the version
  --json                                 data and errors as JSON on stdout
  --home <dir>                           state folder (MESH_HOME, default .mesh)
  --config <file>                        project file (MESH_CONFIG, default mesh.toml)
  --progress <mode>                      progress on stderr (default auto) (choices: "auto", "tty", "plain", "quiet")
  -h, --help                             display help for command

Commands:
  cert                                   look at certificates
  coordinator                            run and own what issues mesh certificates
  machine                                list, draw and test state machines
  trust                                  say whose spores may run
  msg                                    write and read messages
  peer                                   run a peer, and say whom it asks
  relay                                  keep messages for peers that are away
  dev [options]                          run a whole mesh here, with a sample service deployed
  up [options]                           run a mesh in the foreground until SIGTERM or Ctrl-C
  keygen <name>                          make a signing key: NAME.key (0600) and NAME.pub
  build [options] <binary>               pack and sign a binary as a spore
  verify [options] <file>                check a spore: format, digest, signature, trust, policy
  publish <file>                         verify a spore and put it into the repo; prints its digest
  run [options] <app> <spore>            deploy a spore as an app, and follow until it serves
  ps                                     list the instances
  status <app>                           show an app: what runs, and why not
  history <app>                          list the deployments of an app and how they ended
  logs [options] <app>                   show the last lines of an app's instances
  tree                                   draw the supervision tree: states, restarts, since when
  rollback [options] <app> [generation]  go back to the revision before, or to a generation
  scale [options] <app>                  change how many instances there are
  restart [options] <app>                replace the instances by new ones of the same revision
  stop <app>                             stop all instances, and keep the app known
  rm <app>                               stop an app and forget it, with its history
  inspect [options]                      show the actors and their state charts in a browser
  send <path> <event>                    send an event to an actor, where the mesh allows it
  sync [options] [peer]                  ask other peers now for what was missed
  explain [code]                         explain an error code, or list them all
  doctor [options]                       check whether a mesh can work here
  completion <shell>                     print a completion script

Every command takes --help. Errors have codes: mesh explain CODE.
`;

describe('mesh --help', () => {
  it('lists the commands on stdout', async () => {
    using dir = scratch();
    const { exitCode, stdout, stderr } = await mesh(['--help'], { cwd: dir.path });
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toBe(HELP);
  });

  it('is what a missing command gets, on stderr and with the exit code of a wrong use', async () => {
    using dir = scratch();
    const { exitCode, stdout, stderr } = await mesh([], { cwd: dir.path });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: mesh [options] [command]');
    expect(stderr).toContain('error: A command is missing.');
  });

  it('shows the options and examples of one command', async () => {
    using dir = scratch();
    const { stdout } = await mesh(['scale', '--help'], { cwd: dir.path });
    expect(stdout).toBe(`Usage: mesh scale [options] <app>

change how many instances there are

Arguments:
  app                  name of the app

Options:
  --min <count>        instances that must be there
  --max <count>        instances that there may be (default min)
  -d, --detach         do not wait for the end of the deployment
  --timeout <seconds>  follow for at most this long (default 600)
  -h, --help           display help for command

Examples:
  mesh scale hello --min 2 --max 6
`);
  });

  it('takes a mistyped command for the nearest one', async () => {
    using dir = scratch();
    const { exitCode, stderr } = await mesh(['histroy'], { cwd: dir.path });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("unknown command 'histroy' (Did you mean history?)");
  });
});

describe('COMMANDS', () => {
  it.each(COMMANDS.map((spec) => [spec.name, spec] as const))('can load %s', async (_, spec) => {
    expect(typeof (await spec.load()).run).toBe('function');
    expect(spec.summary).toMatch(/^[a-z].*[^.]$/);
  });
});

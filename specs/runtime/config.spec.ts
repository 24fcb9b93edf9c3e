import { describe, expect, it } from 'vitest';
import { mergeSettings, parseProjectFile, readProjectFile } from '../../runtime/config.schema.ts';
import type { SettingInputs } from '../../runtime/config.schema.ts';
import { scratch } from '../support/scratch.ts';

const KEY = 'ab'.repeat(32);

const merge = (inputs: Partial<SettingInputs>) =>
  mergeSettings({
    flags: {},
    environment: {},
    project: {},
    projectFolder: '/project',
    projectFile: null,
    ...inputs,
  });

describe('parseProjectFile', () => {
  it('reads every setting', () => {
    const text = [
      'home = "state"',
      'port = 9000',
      'nodes = 5',
      'admin_port = 9090',
      'on_runtime_death = "kill"',
      'log = "debug"',
      'relay = "http://127.0.0.1:7000"',
      'mesh_id = "home"',
      'announce = true',
      'coordinator = "127.0.0.1:7443, c2.example:7443"',
      `coordinator_key = "${KEY}"`,
      '[node_capacity]',
      'cpu_milli = 2000',
      'memory_mb = 1024',
    ].join('\n');
    expect(merge({ project: parseProjectFile(text, 'mesh.toml') })).toEqual({
      home: '/project/state',
      port: 9000,
      nodes: 5,
      adminPort: 9090,
      onRuntimeDeath: 'kill',
      log: 'debug',
      relay: 'http://127.0.0.1:7000',
      meshId: 'home',
      announce: true,
      coordinator: { addresses: ['127.0.0.1:7443', 'c2.example:7443'], keys: [KEY] },
      nodeCapacity: { cpuMilli: 2000, memoryMb: 1024 },
      projectFile: null,
      sources: {
        home: 'project file',
        port: 'project file',
        nodes: 'project file',
        admin_port: 'project file',
        on_runtime_death: 'project file',
        log: 'project file',
        relay: 'project file',
        mesh_id: 'project file',
        announce: 'project file',
        coordinator: 'project file',
        coordinator_key: 'project file',
      },
    });
  });

  it.each([
    ['prot = 1', 'unknown key prot (did you mean port?)'],
    ['colour = "red"', 'unknown key colour (known are home, port, nodes, admin_port,'],
    [
      '[node_capacity]\ncpu_mili = 1',
      'unknown key node_capacity.cpu_mili (did you mean cpu_milli?)',
    ],
    ['port = "http"', 'port: '],
    ['port = 70000', 'port: '],
    ['nodes = 0', 'nodes: '],
    ['nodes = 1.5', 'nodes: '],
    ['log = "loud"', 'log: '],
    ['relay = "somewhere"', 'relay: is not http://HOST:PORT'],
    ['mesh_id = "My Mesh"', 'mesh_id: is not a DNS label'],
    ['announce = 1', 'announce: '],
    ['coordinator = "localhost"', 'coordinator.0: is not HOST:PORT'],
    ['coordinator_key = "ab"', 'coordinator_key.0: is not 64 lower-case hex digits'],
    ['port = ', 'Invalid TOML document'],
  ])('refuses %j and says where', (text, message) => {
    expect(() => parseProjectFile(text, 'mesh.toml')).toThrow(
      expect.objectContaining({
        code: 'MESH_ERR_CLI_CONFIG_INVALID',
        message: expect.stringContaining(message) as string,
      }) as Error,
    );
  });

  it('says which file cannot be read', () => {
    using dir = scratch();
    expect(() => readProjectFile(dir.file('absent.toml'))).toThrow(
      expect.objectContaining({
        code: 'MESH_ERR_CLI_CONFIG_UNREADABLE',
        message: expect.stringContaining('absent.toml') as string,
      }) as Error,
    );
  });
});

describe('mergeSettings', () => {
  it('has a default for everything', () => {
    expect(merge({})).toMatchObject({
      port: 8080,
      nodes: 3,
      adminPort: null,
      onRuntimeDeath: 'keep',
      log: 'info',
      relay: null,
      meshId: 'mesh',
      announce: false,
      coordinator: null,
      nodeCapacity: { cpuMilli: 0, memoryMb: 0 },
    });
  });

  it('takes flags before variables before the project file', () => {
    const project = { port: 1, nodes: 1, admin_port: 1 };
    const environment = { MESH_PORT: '2', MESH_NODES: '2' };
    const { port, nodes, adminPort, sources } = merge({
      flags: { port: '3' },
      environment,
      project,
    });
    expect([port, nodes, adminPort]).toEqual([3, 2, 1]);
    expect(sources).toMatchObject({
      port: 'flag',
      nodes: 'environment',
      admin_port: 'project file',
      log: 'default',
    });
  });

  it('takes a switch as a flag, and its words from a variable', () => {
    expect(merge({ flags: { announce: true } }).announce).toBe(true);
    const environment = { MESH_ANNOUNCE: 'yes', MESH_ID: 'home', MESH_RELAY: 'http://[::1]:7' };
    expect(merge({ environment })).toMatchObject({
      announce: true,
      meshId: 'home',
      relay: 'http://[::1]:7',
    });
  });

  it.each([
    [{ flags: { port: '70000' } }, '--port cannot be "70000"'],
    [{ flags: { adminPort: 'x' } }, '--admin-port cannot be "x"'],
    [{ environment: { MESH_NODES: '-1' } }, 'MESH_NODES cannot be "-1"'],
    [{ environment: { MESH_LOG: 'loud' } }, 'MESH_LOG cannot be "loud"'],
    [{ flags: { coordinator: 'c:1' } }, 'coordinator is set without coordinator_key'],
    [{ environment: { MESH_COORDINATOR_KEY: KEY } }, 'coordinator_key is set without coordinator'],
  ])('names what cannot be used in %j', (inputs, message) => {
    expect(() => merge(inputs)).toThrow(
      expect.objectContaining({
        code: 'MESH_ERR_CLI_USAGE',
        message: expect.stringContaining(message) as string,
      }) as Error,
    );
  });
});

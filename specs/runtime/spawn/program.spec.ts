import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveProgram } from '../../../runtime/spawn/program.ts';
import { scratch } from '../../support/scratch.ts';
import type { Scratch } from '../../support/scratch.ts';

const ELF_MACHINE_AT = 18;
const EM_SPARC = 2;

describe('resolveProgram', () => {
  let folder: Scratch;
  beforeEach(() => {
    folder = scratch();
  });
  afterEach(() => folder[Symbol.dispose]());

  const write = (name: string, content: string | Buffer, mode = 0o755): string => {
    writeFileSync(folder.file(name), content);
    chmodSync(folder.file(name), mode);
    return folder.file(name);
  };
  const resolve = (command: string, path?: string): string =>
    resolveProgram({ instance: 'i-1', command, path, cwd: folder.path });

  it('takes a path relative to the working folder', () => {
    const file = write('serve', '#!/bin/sh\n');
    expect(resolve('./serve')).toBe(file);
    expect(resolve(file)).toBe(file);
  });

  it('searches the folders of the PATH given, in their order', () => {
    mkdirSync(folder.file('a'));
    mkdirSync(folder.file('b'));
    write('a/serve', '#!/bin/sh\n', 0o644);
    const file = write('b/serve', '#!/bin/sh\n');
    const path = ['missing', 'a', 'b'].map((name) => join(folder.path, name)).join(':');
    expect(resolve('serve', path)).toBe(file);
  });

  it('searches a small default PATH, and never that of the runtime', () => {
    expect(resolve('sh')).toMatch(/^\/(?:usr\/)?bin\/sh$/);
    const code = 'MESH_ERR_PROCESS_PROGRAM_MISSING';
    expect(() => resolve('vitest')).toThrow(expect.objectContaining({ code }));
  });

  it('follows symbolic links without resolving their names', () => {
    symlinkSync('/bin/sh', folder.file('shell'));
    expect(resolve('./shell')).toBe(folder.file('shell'));
  });

  it.each(['', './missing', 'a\0b', '/dev/null/x'])('knows %j to be missing', (command) => {
    const code = 'MESH_ERR_PROCESS_PROGRAM_MISSING';
    expect(() => resolve(command)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['a folder', () => folder.path, 'is not a regular file'],
    ['no permission', () => write('a', '#!/bin/sh\n', 0o644), 'may not be executed'],
    ['plain text', () => write('b', 'echo hello\n'), 'is neither an ELF program'],
    ['an empty file', () => write('c', ''), 'is neither an ELF program'],
    ['a missing interpreter', () => write('d', '#!/missing/sh -e\n'), '"/missing/sh"'],
    ['an interpreter without permission', () => write('e', '#! /etc/passwd\n'), '"/etc/passwd"'],
    ['no interpreter', () => write('f', '#!\n'), 'names no interpreter'],
    ['another machine', () => write('g', elfFor(EM_SPARC)), 'for another machine (2)'],
    ['a link to itself', () => looping(folder), 'cannot be resolved (ELOOP)'],
  ])('refuses %s', (_, make, message) => {
    expect(() => resolve(make())).toThrow(
      expect.objectContaining({
        code: 'MESH_ERR_PROCESS_NOT_EXECUTABLE',
        message: expect.stringContaining(message) as string,
      }),
    );
  });
});

function elfFor(machine: number): Buffer {
  const program = readFileSync('/bin/true');
  program.writeUInt16LE(machine, ELF_MACHINE_AT);
  return program;
}

function looping(folder: Scratch): string {
  symlinkSync('loop', folder.file('loop'));
  return folder.file('loop');
}

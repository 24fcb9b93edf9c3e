/** Compiles small programs as a user of the package would, and says what the compiler says of each. */
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { scratch } from '../scratch.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
}

/** Where the package's own entries are found; it is not installed below itself. */
function pathsOf(): Readonly<Record<string, readonly string[]>> {
  const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest;
  const own = Object.entries(manifest.exports)
    .filter(([, file]) => file.endsWith('.ts'))
    .map(([entry, file]) => [`${manifest.name}${entry.slice(1)}`, [`${root}${file}`]] as const);
  return Object.fromEntries(own);
}

/** Messages of the compiler by name of the program; an empty text means that it compiles. */
export async function compile(
  programs: Readonly<Record<string, string>>,
  /** Modules that the programs import, by file name. */
  modules: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, string>>> {
  using folder = scratch();
  const names = Object.keys(programs);
  for (const [file, text] of Object.entries(modules)) writeFileSync(folder.file(file), text);
  for (const [at, name] of names.entries())
    writeFileSync(folder.file(`p${at}.ts`), programs[name] ?? '');
  const tsconfig = {
    extends: `${root}tsconfig.json`,
    compilerOptions: {
      paths: pathsOf(),
      noUnusedLocals: false,
    },
    include: ['*.ts'],
  };
  writeFileSync(folder.file('tsconfig.json'), JSON.stringify(tsconfig));
  writeFileSync(folder.file('package.json'), JSON.stringify({ type: 'module' }));
  symlinkSync(`${root}node_modules`, folder.file('node_modules'));
  const tsc = `${root}node_modules/typescript/bin/tsc`;
  const { stdout } = await execa(process.execPath, [tsc, '-p', folder.path, '--pretty', 'false'], {
    cwd: folder.path,
    reject: false,
    timeout: 60_000,
  });
  const said: Record<string, string> = Object.fromEntries(names.map((name) => [name, '']));
  let name = '';
  for (const line of stdout.split('\n')) {
    const at = /^(?:.*\/)?p(\d+)\.ts\(/.exec(line)?.[1];
    if (at !== undefined) name = names[Number(at)] ?? '';
    // Faults of the package itself are found where it is checked; those of the modules hide others.
    else if (/^\S.*error TS/.test(line)) {
      if (Object.keys(modules).some((file) => line.startsWith(`${file}(`))) throw new Error(line);
      name = '';
    }
    if (name !== '') said[name] = `${said[name] ?? ''}${line}\n`.trimStart();
  }
  return said;
}

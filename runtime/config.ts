/**
 * Settings: flags before MESH_* variables, those before the project file `mesh.toml`, that before
 * the defaults.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { LogLevel, Settings, SettingSource } from './config.schema.ts';

export type { LogLevel, Settings, SettingSource };

/** What the command line says; commander's names, values as text. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** The state folder where nothing says otherwise. */
const HOME_DEFAULT = '.mesh';
const PROJECT_FILE = 'mesh.toml';

/**
 * The state folder alone, as an absolute path. It reads the project file only where that can matter,
 * because most commands need nothing else and are over in a tenth of a second.
 */
export async function findHome(flags: Flags): Promise<string> {
  const said = textOf(flags['home']) ?? textOf(process.env['MESH_HOME']);
  if (said !== undefined) return resolve(said);
  const { file } = projectFile(flags);
  return file === undefined ? resolve(HOME_DEFAULT) : (await loadSettings(flags)).home;
}

/**
 * All settings. MESH_ERR_CLI_USAGE for a bad flag or variable, MESH_ERR_CLI_CONFIG_INVALID and
 * MESH_ERR_CLI_CONFIG_UNREADABLE for the project file.
 */
export async function loadSettings(flags: Flags): Promise<Settings> {
  const { mergeSettings, readProjectFile } = await import('./config.schema.ts');
  const { file } = projectFile(flags);
  return mergeSettings({
    flags,
    environment: process.env,
    project: file === undefined ? {} : readProjectFile(file),
    // A relative path means what it means where it is written.
    projectFolder: file === undefined ? process.cwd() : dirname(file),
    projectFile: file ?? null,
  });
}

/** The project file that counts: the one asked for, else the one in the working folder. */
function projectFile(flags: Flags): { file: string | undefined } {
  const said = textOf(flags['config']) ?? textOf(process.env['MESH_CONFIG']);
  if (said !== undefined) return { file: resolve(said) };
  const found = resolve(PROJECT_FILE);
  return { file: existsSync(found) ? found : undefined };
}

const textOf = (value: string | boolean | undefined): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

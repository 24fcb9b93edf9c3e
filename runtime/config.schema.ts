/** The project file `mesh.toml`, and how the sources of a setting come together. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'smol-toml';
import { z } from 'zod';
import { isName } from '../machines/kernel/ids.ts';
import type { CoordinatorLink } from './certificates/coordinator-link.ts';
import { nearest } from './cli/did-you-mean.ts';
import { cliError } from './cli/errors.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Nodes are agents in one process; more than this wants more machines. */
const NODES_MAX = 64;
/** Coordinators of one mesh that a node knows by address. */
const LIST_MAX = 16;

/** One value, or several divided by commas, as flags and variables have them, too. */
const commaList = (item: z.ZodType<string, string>) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item).min(1).max(LIST_MAX))
    .optional();

/** Each setting: its key in `mesh.toml`, and what it takes. The flag is the key in kebab-case. */
const projectSchema = z.strictObject({
  /** State folder; relative to the file. */
  home: z.string().min(1).optional(),
  /** Port of the edge on 127.0.0.1; 0 takes any free one. */
  port: z.int().min(0).max(65_535).optional(),
  /** Agents in this process. */
  nodes: z.int().min(1).max(NODES_MAX).optional(),
  /** Port of /metrics, /livez and /readyz on 127.0.0.1; without it there is none. */
  admin_port: z.int().min(0).max(65_535).optional(),
  /** What becomes of instances when the runtime dies. */
  on_runtime_death: z.enum(['keep', 'kill']).optional(),
  log: z.enum(LOG_LEVELS).optional(),
  /** The relay through which peers reach each other: `http://HOST:PORT`. */
  relay: z
    .string()
    .regex(/^https?:\/\/[^\s/]+\/?$/, 'is not http://HOST:PORT')
    .optional(),
  /** Name of the mesh that messages belong to; peers take no other's. */
  mesh_id: z.string().refine(isName, 'is not a DNS label in lower case').optional(),
  /** Whether the node posts its deployments, reverts and crash loops as public messages. */
  announce: z.union([z.boolean(), z.stringbool()]).optional(),
  /** Coordinators that give certificates, `HOST:PORT`, several divided by commas. */
  coordinator: commaList(z.string().regex(/^[^\s,]+:\d{1,5}$/, 'is not HOST:PORT')),
  /** Their Ed25519 public keys in hex; nobody else is believed to be one of them. */
  coordinator_key: commaList(z.string().regex(/^[0-9a-f]{64}$/, 'is not 64 lower-case hex digits')),
  /** What each node may give to instances; 0 = no limit. */
  node_capacity: z
    .strictObject({
      cpu_milli: z.int().min(0).max(1_048_576).optional(),
      memory_mb: z.int().min(0).max(1_048_576).optional(),
    })
    .optional(),
});

export type ProjectFile = z.output<typeof projectSchema>;
type Key = Exclude<keyof ProjectFile, 'node_capacity'>;

/** The mesh whose name nobody chose. */
const MESH_ID_DEFAULT = 'mesh';
/** Variables that are not named after their key. */
const VARIABLES: Readonly<Partial<Record<Key, string>>> = { mesh_id: 'MESH_ID' };

export type SettingSource = 'flag' | 'environment' | 'project file' | 'default';

export interface Settings {
  /** Absolute. */
  readonly home: string;
  readonly port: number;
  readonly nodes: number;
  readonly adminPort: number | null;
  readonly onRuntimeDeath: 'keep' | 'kill';
  readonly log: LogLevel;
  /** Null where none is configured. */
  readonly relay: string | null;
  readonly meshId: string;
  readonly announce: boolean;
  /** Null where none is configured. */
  readonly coordinator: CoordinatorLink | null;
  readonly nodeCapacity: { readonly cpuMilli: number; readonly memoryMb: number };
  readonly projectFile: string | null;
  /** Where each came from, for `mesh doctor`. */
  readonly sources: Readonly<Record<string, SettingSource>>;
}

export interface SettingInputs {
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly project: ProjectFile;
  readonly projectFolder: string;
  readonly projectFile: string | null;
}

/** Reads and checks a project file. MESH_ERR_CLI_CONFIG_UNREADABLE, MESH_ERR_CLI_CONFIG_INVALID. */
export function readProjectFile(file: string): ProjectFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    throw cliError('MESH_ERR_CLI_CONFIG_UNREADABLE', `Reading ${file}: ${found}.`, { cause });
  }
  return parseProjectFile(text, file);
}

/** Checks the text of a project file; `file` is for messages. MESH_ERR_CLI_CONFIG_INVALID. */
export function parseProjectFile(text: string, file: string): ProjectFile {
  const invalid = (found: string, cause?: unknown): Error =>
    cliError('MESH_ERR_CLI_CONFIG_INVALID', `Reading ${file}: ${found}.`, { cause });
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    const [first = 'it is not TOML'] = cause instanceof Error ? cause.message.split('\n') : [];
    throw invalid(first, cause);
  }
  const checked = projectSchema.safeParse(value);
  if (checked.success) return checked.data;
  throw invalid(checked.error.issues.map(describeIssue).join('; '));
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return `${path}: ${issue.message}`;
  const known =
    path === 'node_capacity' ? ['cpu_milli', 'memory_mb'] : Object.keys(projectSchema.shape);
  return issue.keys
    .map((key) => {
      const near = nearest(key, known);
      const advice = near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`;
      return `unknown key ${path === '' ? key : `${path}.${key}`} (${advice})`;
    })
    .join('; ');
}

/** Brings the sources together. MESH_ERR_CLI_USAGE names a flag or variable that cannot be used. */
export function mergeSettings(inputs: SettingInputs): Settings {
  const sources: Record<string, SettingSource> = {};
  const pick = <Value>(key: Key, fallback: Value): Value => {
    const flag = inputs.flags[camel(key)];
    const variable = VARIABLES[key] ?? `MESH_${key.toUpperCase()}`;
    const said = inputs.environment[variable];
    if (flag === true) {
      sources[key] = 'flag';
      return true as Value;
    }
    if (typeof flag === 'string') {
      sources[key] = 'flag';
      return fromText(key, flag, `--${key.replaceAll('_', '-')}`) as Value;
    }
    if (said !== undefined && said !== '') {
      sources[key] = 'environment';
      return fromText(key, said, variable) as Value;
    }
    const written = inputs.project[key];
    sources[key] = written === undefined ? 'default' : 'project file';
    return (written as Value | undefined) ?? fallback;
  };
  const home = pick('home', '.mesh');
  const base = sources['home'] === 'project file' ? inputs.projectFolder : process.cwd();
  const capacity = inputs.project.node_capacity;
  return {
    home: resolve(base, home),
    port: pick('port', 8080),
    nodes: pick('nodes', 3),
    adminPort: pick<number | null>('admin_port', null),
    onRuntimeDeath: pick('on_runtime_death', 'keep' as const),
    log: pick<LogLevel>('log', 'info'),
    relay: pick<string | null>('relay', null),
    meshId: pick('mesh_id', MESH_ID_DEFAULT),
    announce: pick('announce', false),
    coordinator: linkOf(
      pick<readonly string[] | null>('coordinator', null),
      pick<readonly string[] | null>('coordinator_key', null),
    ),
    nodeCapacity: { cpuMilli: capacity?.cpu_milli ?? 0, memoryMb: capacity?.memory_mb ?? 0 },
    projectFile: inputs.projectFile,
    sources,
  };
}

/** Neither is of use without the other: an address without a key would believe anybody. */
function linkOf(
  addresses: readonly string[] | null,
  keys: readonly string[] | null,
): CoordinatorLink | null {
  if (addresses !== null && keys !== null) return { addresses, keys };
  if (addresses === null && keys === null) return null;
  const [said, missing] =
    addresses === null
      ? ['coordinator_key', 'coordinator (its HOST:PORT)']
      : ['coordinator', 'coordinator_key (its public key in hex)'];
  throw cliError('MESH_ERR_CLI_USAGE', `${said} is set without ${missing}.`);
}

function fromText(key: Key, text: string, name: string): unknown {
  const isNumber = /^\d{1,9}$/.test(text);
  const checked = projectSchema.shape[key].safeParse(text);
  if (checked.success) return checked.data;
  const asNumber = isNumber ? projectSchema.shape[key].safeParse(Number(text)) : checked;
  if (asNumber.success) return asNumber.data;
  const found = asNumber.error.issues.map((issue) => issue.message).join('; ');
  throw cliError('MESH_ERR_CLI_USAGE', `${name} cannot be "${text}": ${found}.`);
}

const camel = (key: string): string =>
  key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

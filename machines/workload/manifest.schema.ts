/**
 * The manifest of a spore, version 1: what a user writes (source) and what a packed spore carries
 * (built: every field present, plus `integrity`). On disk it is strict JSON; the signature covers
 * the RFC 8785 form of the built manifest without `integrity.signature`.
 *
 * Version history: 1 is the first.
 */
import { z } from 'zod';
import { sporeError } from './spore-errors.ts';
import type { CodedError } from '../kernel/coded-error.ts';

/** DSSE payload type of a signed manifest. */
export const SPORE_PAYLOAD_TYPE = 'application/vnd.mycelium.spore.v1+json';

/** Stands for the path of the extracted binary in `runtime.command`, `args` and `env` values. */
export const BINARY_PLACEHOLDER = '{binary}';

/** Bytes of manifest.json: room for every field at its limit that a sane manifest uses. */
export const MANIFEST_BYTES_MAX = 64 * 1024;

/** What a zip header without ZIP64 can say, less one, because the last value means "see ZIP64". */
export const BINARY_BYTES_FORMAT_MAX = 0xffff_fffe;

/** Findings listed in one error; the rest are counted. */
const FINDINGS_MAX = 20;

const HOUR_MS = 3_600_000;
// oxlint-disable-next-line no-control-regex -- NUL would end the text for the operating system.
const withoutNul = z.string().regex(/^[^\0]*$/, 'contains a NUL character');
const milliseconds = (min: number) => z.int().min(min).max(HOUR_MS);

/** Source: semver.org 2.0.0, "Is there a suggested regular expression"; its parts by name. */
const NUMBER = String.raw`(?:0|[1-9]\d*)`;
const PRE_RELEASE = String.raw`(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)`;
const BUILD = '[0-9a-zA-Z-]+';
const SEMVER = new RegExp(
  String.raw`^${NUMBER}\.${NUMBER}\.${NUMBER}` +
    String.raw`(?:-${PRE_RELEASE}(?:\.${PRE_RELEASE})*)?(?:\+${BUILD}(?:\.${BUILD})*)?$`,
);

const name = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'is not a DNS label in lower case');
const version = z.string().max(128).regex(SEMVER, 'is not a semantic version');

const command = z
  .string()
  .max(255)
  .regex(
    /^(?:\{binary\}|[A-Za-z0-9_+][A-Za-z0-9._+-]*)$/,
    'is neither {binary} nor a program name',
  );
const args = z.array(withoutNul.max(4096)).max(64);
const env = z
  .record(
    z
      .string()
      .max(128)
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of an environment variable')
      .regex(/^(?!PORT$|MESH_)/, 'is set by the mesh itself'),
    withoutNul.max(32_768),
  )
  .refine((record) => Object.keys(record).length <= 128, 'has more than 128 variables');

const path = z
  .string()
  .max(1024)
  .regex(/^\/[\x21\x22\x24-\x7e]*$/, 'is not an absolute path in visible ASCII without "#"');
const provides = z
  .array(z.string().regex(/^[a-z0-9](?:[a-z0-9./_-]{0,62})$/, 'is not a capability name'))
  .max(32)
  .refine((list) => new Set(list).size === list.length, 'names a capability twice');
const cpuMilli = z.int().min(1).max(1_024_000);
const memoryMb = z.int().min(1).max(16_777_216);
const slo = z.strictObject({ p99_budget_ms: milliseconds(1) });
/** Whether an instance may start without a mesh certificate; absent: `optional`. */
const identity = z.enum(['none', 'optional', 'required']);
/** `mesh`: the port speaks TLS with the mesh certificate, to clients that show one of their own. */
const serve = z.strictObject({ tls: z.literal('mesh') });
const lsmProfile = z.string().regex(/^[A-Za-z0-9._/-]{0,128}$/, 'is not the name of a profile');

const health = {
  path,
  startTimeoutMs: milliseconds(1),
  intervalMs: milliseconds(10),
  failuresMax: z.int().min(1).max(1000),
  warmupMs: milliseconds(0),
};

/** A program found on PATH must be told where the binary is, or the binary would never run. */
function usesBinary(runtime: { command: string; args: readonly string[] }): boolean {
  return (
    runtime.command === BINARY_PLACEHOLDER ||
    runtime.args.some((arg) => arg.includes(BINARY_PLACEHOLDER))
  );
}
/** What speaks TLS needs the certificate that it speaks it with. */
const hasIdentity = (manifest: {
  readonly identity?: z.output<typeof identity>;
  readonly serve?: z.output<typeof serve>;
}): boolean => manifest.serve === undefined || manifest.identity === 'required';
const HAS_IDENTITY = {
  message: 'has to be "required" where serve.tls is "mesh"',
  path: ['identity'],
};
const USES_BINARY = { message: 'runs another program without {binary} among its args' };

/** What a user writes. Every default is here and nowhere else. */
export const sporeManifestSourceSchema = z
  .strictObject({
    kind: z.literal('Spore').default('Spore'),
    name,
    version,
    runtime: z
      .strictObject({
        command: command.default(BINARY_PLACEHOLDER),
        args: args.default([]),
        env: env.default({}),
      })
      .refine(usesBinary, USES_BINARY)
      .prefault({}),
    health: z
      .strictObject({
        path: health.path.default('/health'),
        startTimeoutMs: health.startTimeoutMs.default(6000),
        intervalMs: health.intervalMs.default(1000),
        failuresMax: health.failuresMax.default(3),
        warmupMs: health.warmupMs.default(200),
      })
      .prefault({}),
    drainTimeoutMs: milliseconds(0).default(10_000),
    provides: provides.default([]),
    nutrients: z
      .strictObject({ cpu_milli: cpuMilli.default(100), memory_mb: memoryMb.default(64) })
      .prefault({}),
    slo: slo.exactOptional(),
    identity: identity.exactOptional(),
    serve: serve.exactOptional(),
    security: z
      .strictObject({
        lsm_profile: lsmProfile.default(''),
        read_only_fs: z.boolean().default(false),
      })
      .prefault({}),
  })
  .refine(hasIdentity, HAS_IDENTITY);

const integrity = z.strictObject({
  binary_sha256: z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in lower-case hex'),
  binary_size: z.int().min(1).max(BINARY_BYTES_FORMAT_MAX),
  created_at: z.iso.datetime({ precision: 0, error: 'is not RFC 3339 in whole UTC seconds' }),
  public_key: z
    .string()
    .regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, 'is not canonical base64 of 32 bytes'),
  signature: z.string().regex(/^[A-Za-z0-9+/]{85}[AQgw]==$/, 'is not canonical base64 of 64 bytes'),
});

/**
 * What a packed spore carries: every default is filled in, so that all that counts is signed. What has
 * none (`slo`, `identity`, `serve`) is absent where the user did not say it.
 */
export const sporeManifestSchema = z
  .strictObject({
    kind: z.literal('Spore'),
    name,
    version,
    runtime: z.strictObject({ command, args, env }).refine(usesBinary, USES_BINARY),
    health: z.strictObject(health),
    drainTimeoutMs: milliseconds(0),
    provides,
    nutrients: z.strictObject({ cpu_milli: cpuMilli, memory_mb: memoryMb }),
    slo: slo.exactOptional(),
    identity: identity.exactOptional(),
    serve: serve.exactOptional(),
    security: z.strictObject({ lsm_profile: lsmProfile, read_only_fs: z.boolean() }),
    integrity,
  })
  .refine(hasIdentity, HAS_IDENTITY);

/** The manifest as a user writes it. */
export type SporeManifestSource = z.input<typeof sporeManifestSourceSchema>;

/** The manifest of a packed spore. */
export type SporeManifest = z.output<typeof sporeManifestSchema>;

/** Whether an instance may start without a mesh certificate. */
export type IdentityPolicy = NonNullable<SporeManifest['identity']>;

/** The signed facts about a spore's binary. */
export type SporeIntegrity = SporeManifest['integrity'];

/** A built manifest before it is signed. */
export type UnsignedSporeManifest = Omit<SporeManifest, 'integrity'> & {
  readonly integrity: Omit<SporeIntegrity, 'signature'>;
};

/** Fills in the defaults; throws MESH_ERR_SPORE_MANIFEST with every finding. */
export function parseManifestSource(value: unknown): z.output<typeof sporeManifestSourceSchema> {
  const parsed = sporeManifestSourceSchema.safeParse(value);
  if (!parsed.success) throw manifestError('manifest', parsed.error);
  return parsed.data;
}

/** Checks a packed spore's manifest; throws MESH_ERR_SPORE_MANIFEST with every finding. */
export function parseSporeManifest(value: unknown): SporeManifest {
  const parsed = sporeManifestSchema.safeParse(value);
  if (!parsed.success) throw manifestError('packed manifest', parsed.error);
  return parsed.data;
}

function manifestError(what: string, error: z.ZodError): CodedError {
  const findings = error.issues.map((issue) => {
    const place = issue.path.map(String).join('.') || 'the manifest';
    return `${place}: ${issue.message}`;
  });
  const more = findings.length - FINDINGS_MAX;
  const listed = findings.slice(0, FINDINGS_MAX).join('; ') + (more > 0 ? `; ${more} more` : '');
  return sporeError('MESH_ERR_SPORE_MANIFEST', `Reading a ${what}: ${listed}.`, {
    details: { findings: findings.slice(0, FINDINGS_MAX) },
  });
}

import { certificatesIn, showCertificates } from '../../../x509/show-certificate.ts';
import type { ShownCertificate } from '../../../x509/show-certificate.ts';
import type { Run } from '../../command.ts';
import { readBytes } from '../../coordinator/target.ts';
import { cliError } from '../../errors.ts';
import { duration } from '../../format.ts';
import { paint } from '../../output.ts';

/** More than any chain of certificates has. */
const BYTES_MAX = 1024 * 1024;

/** Shows the certificates of a file, leaf first; `-` reads stdin. */
export const run: Run = async ({ args, out }) => {
  const file = args['file'] ?? '';
  const shown = showCertificates(parse(file, await bytesOf(file)), Date.now());
  out.data(shown, () => shown.map((one, index) => textOf(one, index)).join('\n\n'));
};

async function bytesOf(file: string): Promise<Uint8Array> {
  if (file !== '-') return readBytes(file);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX)
      throw cliError(
        'MESH_ERR_CLI_INPUT',
        `Reading stdin: it has over ${String(BYTES_MAX)} bytes.`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(file: string, bytes: Uint8Array) {
  try {
    return certificatesIn(bytes);
  } catch (cause) {
    throw cliError(
      'MESH_ERR_CLI_INPUT',
      `Reading ${file}: it has no certificate, neither PEM nor DER.`,
      { cause, hint: 'Name a file with certificates, as MESH_CERT_FILE is.' },
    );
  }
}

function textOf(one: ShownCertificate, index: number): string {
  const left = Date.parse(one.notAfter) - Date.now();
  const validity = one.isValidNow
    ? `until ${one.notAfter}, ${duration(left)} left`
    : paint(process.stdout, 'red', `not now: ${one.notBefore} to ${one.notAfter}`);
  const rows: readonly (readonly [string, string | null])[] = [
    ['subject', one.subject],
    ['kind', one.kind ?? 'outside of the profile of a mesh'],
    ['spiffe id', one.spiffeId],
    ['names', one.names.filter((name) => !name.startsWith('URI:')).join(', ') || null],
    ['issuer', one.issuer],
    ['valid', validity],
    ['key', one.key],
    ['serial', one.serialNumber],
    ['sha-256', one.fingerprint],
    ['signed by', signer(one)],
  ];
  return rows
    .flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(10)} ${value}`]))
    .map((line) => (index === 0 ? line : `  ${line}`))
    .join('\n');
}

function signer({ isSignedByNext, issuer, subject }: ShownCertificate): string {
  if (isSignedByNext === null) return 'one that is not in this file';
  if (!isSignedByNext) return paint(process.stdout, 'red', 'NOT the next one in this file');
  return issuer === subject ? 'its own key' : 'the next one in this file';
}

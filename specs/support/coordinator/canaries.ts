/** Bytes that must be seen nowhere, in each way in which bytes are usually written. */
import { createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';

/** Of which the first bytes are enough: dumps are cut. */
const CANARY_BYTES = 24;

/** Hex, base64, lists of numbers, and the bytes themselves. */
export const spellings = (bytes: Uint8Array): string[] => {
  const buffer = Buffer.from(bytes.subarray(0, CANARY_BYTES));
  const hex = buffer.toString('hex');
  return [
    hex,
    hex.toUpperCase(),
    hex.replace(/..(?!$)/g, '$& '),
    buffer.toString('base64'),
    buffer.toString('base64url'),
    buffer.toString('latin1'),
    [...buffer].join(','),
    [...buffer].join(', '),
  ];
};

/** As logs, errors on a console and records write it. */
export const shown = (value: unknown): string =>
  [inspect(value, { depth: 5, maxArrayLength: 256 }), jsonOf(value), String(value)].join('\n');

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_, one: unknown) =>
      typeof one === 'bigint' ? String(one) : one,
    );
  } catch {
    // What holds circles has no JSON, so nothing of it can be seen there.
    return '';
  }
}

/** The private part of a key: the scalar, or the exponent of RSA. */
export const privatePartOf = (key: KeyObject): Buffer =>
  Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');

/** The private part inside of PKCS #8. */
export const privatePartIn = (pkcs8: Uint8Array): Buffer =>
  privatePartOf(createPrivateKey({ key: Buffer.from(pkcs8), type: 'pkcs8', format: 'der' }));

/** What is written in the middle of a PEM file, which a dump of that file would have. */
export const pemBodyOf = (pem: string): string => pem.split('\n')[1] ?? '';

/** Which of the named secrets stand in a text, however they are spelt. */
export function found(text: string, secrets: Readonly<Record<string, Uint8Array>>): string[] {
  const flat = text.replace(/\s+/g, ' ');
  return Object.entries(secrets).flatMap(([name, bytes]) =>
    spellings(bytes)
      .filter((spelling) => spelling.length > 0 && flat.includes(spelling))
      .map((spelling) => `${name}: ${spelling.slice(0, 16)}`),
  );
}

/** All files below a folder as text, but those whose business the secrets are. */
export function textBelow(folder: string, isSecret: (path: string) => boolean): string {
  const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && !isSecret(path))
    .map((path) => readFileSync(path).toString('latin1'));
  return texts.join('\n');
}

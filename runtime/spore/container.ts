/**
 * The strict pre-check of a spore's container. No npm zip library is a verifier: they accept most of
 * a hostile corpus and read different contents from one file. Here the five free numbers are taken
 * from the central directory, every header is derived from them, and the bytes must be equal; so a
 * file passes only if `layout.ts` describes all of it, and every reader sees the same two entries.
 */
import { crc32 } from 'node:zlib';
import type { CodedError } from '../../machines/kernel/coded-error.ts';
import { MANIFEST_BYTES_MAX } from '../../machines/workload/manifest.schema.ts';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import { tooLarge } from './file-identity.ts';
import {
  BINARY_HEADER_BYTES,
  MANIFEST_NAME,
  MANIFEST_OFFSET,
  OVERHEAD_BYTES,
  TAIL_BYTES,
  binaryHeader,
  manifestHeader,
  partBytes,
  tailOffset,
  tailParts,
} from './layout.ts';
import type { ContainerFacts, HeaderPart } from './layout.ts';

/** A checked container: its facts, and the bytes that were checked, kept for hashing and reading. */
export interface Container {
  readonly facts: ContainerFacts;
  /** From the start of the file to the deflated binary. */
  readonly head: Buffer;
  readonly manifest: Buffer;
  /** Central directory and end record. */
  readonly tail: Buffer;
}

export interface ContainerLimits {
  /** Bytes of the binary, inflated. */
  readonly binaryBytesMax: number;
}

/** Gives exactly `length` bytes at `offset` of the file, or throws a coded error. */
export type ReadExactly = (offset: number, length: number) => Buffer;

/**
 * Checks the container of a file of `fileBytes`. Every byte is asked for at most once. Throws
 * MESH_ERR_SPORE_CONTAINER with the first difference, or MESH_ERR_SPORE_TOO_LARGE.
 */
export function checkContainer(
  read: ReadExactly,
  fileBytes: number,
  limits: ContainerLimits,
): Container {
  if (fileBytes < OVERHEAD_BYTES + 2)
    throw containerError(`${fileBytes} bytes are too few for a spore`);
  const tail = read(fileBytes - TAIL_BYTES, TAIL_BYTES);
  const facts = factsOf(tail);
  const described = tailOffset(facts) + TAIL_BYTES;
  checkParts(tail, withoutOffsets(tailParts(facts)));
  if (described !== fileBytes)
    throw containerError(
      `its headers describe ${described} bytes but it has ${fileBytes}: something is before, ` +
        `between or after the entries, or missing`,
    );
  checkParts(tail, tailParts(facts));
  checkLimits(facts, limits);

  const head = read(0, MANIFEST_OFFSET + facts.manifestBytes + BINARY_HEADER_BYTES);
  const afterManifest = head.length - BINARY_HEADER_BYTES;
  checkParts(head.subarray(0, MANIFEST_OFFSET), [manifestHeader(facts)]);
  checkParts(head.subarray(afterManifest), [binaryHeader(facts)]);
  const manifest = head.subarray(MANIFEST_OFFSET, afterManifest);
  if (crc32(manifest) !== facts.manifestCrc)
    throw containerError(`${MANIFEST_NAME} does not have the CRC-32 of its headers`);
  return { facts, head, manifest, tail };
}

/** Offsets of CRC-32, compressed size and size within a central header. */
const CENTRAL = { crc: 16, packed: 20, size: 24 };
const SECOND = 46 + MANIFEST_NAME.length;

function factsOf(tail: Buffer): ContainerFacts {
  return {
    manifestCrc: tail.readUInt32LE(CENTRAL.crc),
    manifestBytes: tail.readUInt32LE(CENTRAL.size),
    binaryCrc: tail.readUInt32LE(SECOND + CENTRAL.crc),
    deflatedBytes: tail.readUInt32LE(SECOND + CENTRAL.packed),
    binaryBytes: tail.readUInt32LE(SECOND + CENTRAL.size),
  };
}

/** Offsets follow from all sizes; without them a reader is told of gaps in plain words first. */
function withoutOffsets(parts: readonly HeaderPart[]): HeaderPart[] {
  return parts.map((part) => ({
    ...part,
    fields: part.fields.map(([name, bytes, value]) =>
      name.endsWith('offset') ? [name, bytes, Number.NaN] : [name, bytes, value],
    ),
  }));
}

/** Compares `bytes` with the parts that they must be; a NaN is not compared. */
function checkParts(bytes: Buffer, parts: readonly HeaderPart[]): void {
  let at = 0;
  for (const part of parts) {
    checkPart(bytes.subarray(at, at + partBytes(part)), part);
    at += partBytes(part);
  }
}

function checkPart(bytes: Buffer, part: HeaderPart): void {
  let at = 0;
  for (const [name, width, value] of part.fields) {
    const found = bytes.readUIntLE(at, width);
    at += width;
    if (found === value || Number.isNaN(value)) continue;
    const hex = (number: number): string => `0x${number.toString(16).padStart(width * 2, '0')}`;
    throw containerError(`${part.name}: ${name} is ${hex(found)}, ${hex(value)} is due`);
  }
  if (bytes.toString('latin1', at) !== part.suffix)
    throw containerError(`${part.name}: the name is not "${part.suffix}"`);
}

function checkLimits(facts: ContainerFacts, limits: ContainerLimits): void {
  if (facts.manifestBytes > MANIFEST_BYTES_MAX)
    throw tooLarge('the manifest of a spore', facts.manifestBytes, MANIFEST_BYTES_MAX);
  if (facts.binaryBytes > limits.binaryBytesMax)
    throw tooLarge('the binary of a spore', facts.binaryBytes, limits.binaryBytesMax);
  if (facts.manifestBytes === 0 || facts.binaryBytes === 0 || facts.deflatedBytes === 0)
    throw containerError('an entry is empty');
}

function containerError(reason: string): CodedError {
  return sporeError('MESH_ERR_SPORE_CONTAINER', `Reading a spore's container: ${reason}.`, {
    details: { reason },
  });
}

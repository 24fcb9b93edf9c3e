/**
 * The one layout of a spore. Every header is a function of five numbers, so a reader rebuilds the
 * headers and compares bytes; nothing in them is left to interpretation.
 *
 *     0            local header of manifest.json   30 + 13 bytes, stored
 *     43           the manifest                    m bytes
 *     43 + m       local header of binary          30 + 6 bytes, deflated
 *     79 + m       the deflated binary             c bytes
 *     79 + m + c   two central headers             46 + 13 and 46 + 6 bytes
 *     190 + m + c  end of central directory        22 bytes
 *
 * All integers are little-endian. No extra fields, comments, data descriptors, flags or ZIP64; the
 * time is 1980-01-01 00:00:00; made by Unix, version 4.5; modes are regular files.
 * Source of the fields: PKWARE APPNOTE.TXT 6.3.10 §4.3.7, §4.3.12, §4.3.16.
 */

export const MANIFEST_NAME = 'manifest.json';
export const BINARY_NAME = 'binary';

/** Bytes from the start of the file to the manifest. */
export const MANIFEST_OFFSET = 30 + MANIFEST_NAME.length;
/** Bytes of the binary's local header with its name. */
export const BINARY_HEADER_BYTES = 30 + BINARY_NAME.length;
/** Bytes of central directory and end record. */
export const TAIL_BYTES = 46 + MANIFEST_NAME.length + 46 + BINARY_NAME.length + 22;
/** Bytes of a spore besides manifest and deflated binary. */
export const OVERHEAD_BYTES = MANIFEST_OFFSET + BINARY_HEADER_BYTES + TAIL_BYTES;
/** Offset of CRC-32, compressed size and size within a local header. */
export const LOCAL_CRC_OFFSET = 14;

/** Unix modes, as the packer gives them to archiver. */
export const MANIFEST_MODE = 0o644;
export const BINARY_MODE = 0o755;

const REGULAR_FILE = 0o100000;
/** MS-DOS "archive" attribute, which archiver sets on files. */
const DOS_ARCHIVE = 0x20;
/** 1980-01-01 in the high half, 00:00:00 in the low one. */
const DOS_TIME = 0x0021_0000;
const MADE_BY_UNIX_4_5 = (3 << 8) | 45;

/** The five numbers that a spore's headers depend on. */
export interface ContainerFacts {
  readonly manifestBytes: number;
  readonly manifestCrc: number;
  /** Bytes of the binary, inflated. */
  readonly binaryBytes: number;
  readonly binaryCrc: number;
  /** Bytes of the binary as they are in the file. */
  readonly deflatedBytes: number;
}

/** One field of a header: its name for messages, its width and the only value it may have. */
type Field = readonly [name: string, bytes: 2 | 4, value: number];

export interface HeaderPart {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly suffix: string;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly version: number;
  readonly mode: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

function manifestEntry(facts: ContainerFacts): Entry {
  return {
    name: MANIFEST_NAME,
    method: 0,
    version: 10,
    mode: MANIFEST_MODE,
    crc: facts.manifestCrc,
    packed: facts.manifestBytes,
    size: facts.manifestBytes,
    offset: 0,
  };
}

function binaryEntry(facts: ContainerFacts): Entry {
  return {
    name: BINARY_NAME,
    method: 8,
    version: 20,
    mode: BINARY_MODE,
    crc: facts.binaryCrc,
    packed: facts.deflatedBytes,
    size: facts.binaryBytes,
    offset: MANIFEST_OFFSET + facts.manifestBytes,
  };
}

/** The fields that local and central headers share, from flags to the length of the name. */
const sharedFields = (entry: Entry): Field[] => [
  ['version needed', 2, entry.version],
  ['flags', 2, 0],
  ['method', 2, entry.method],
  ['time', 4, DOS_TIME],
  ['CRC-32', 4, entry.crc],
  ['compressed size', 4, entry.packed],
  ['size', 4, entry.size],
  ['name length', 2, entry.name.length],
  ['extra field length', 2, 0],
];

const localHeader = (entry: Entry): HeaderPart => ({
  name: `local header of ${entry.name}`,
  fields: [['signature', 4, 0x0403_4b50], ...sharedFields(entry)],
  suffix: entry.name,
});

const centralHeader = (entry: Entry): HeaderPart => ({
  name: `central header of ${entry.name}`,
  fields: [
    ['signature', 4, 0x0201_4b50],
    ['version made by', 2, MADE_BY_UNIX_4_5],
    ...sharedFields(entry),
    ['comment length', 2, 0],
    ['disk number', 2, 0],
    ['internal attributes', 2, 0],
    ['mode', 4, (((REGULAR_FILE | entry.mode) << 16) | DOS_ARCHIVE) >>> 0],
    ['offset', 4, entry.offset],
  ],
  suffix: entry.name,
});

const endRecord = (facts: ContainerFacts): HeaderPart => ({
  name: 'end record',
  fields: [
    ['signature', 4, 0x0605_4b50],
    ['disk number', 2, 0],
    ['first disk', 2, 0],
    ['entries on disk', 2, 2],
    ['entries', 2, 2],
    ['directory size', 4, TAIL_BYTES - 22],
    ['directory offset', 4, tailOffset(facts)],
    ['comment length', 2, 0],
  ],
  suffix: '',
});

/** Offset of the deflated binary. */
export const dataOffset = (facts: ContainerFacts): number =>
  MANIFEST_OFFSET + facts.manifestBytes + BINARY_HEADER_BYTES;

/** Offset of the central directory. */
export const tailOffset = (facts: ContainerFacts): number =>
  dataOffset(facts) + facts.deflatedBytes;

export const manifestHeader = (facts: ContainerFacts): HeaderPart =>
  localHeader(manifestEntry(facts));

export const binaryHeader = (facts: ContainerFacts): HeaderPart => localHeader(binaryEntry(facts));

/** Central directory and end record, in file order. */
export const tailParts = (facts: ContainerFacts): readonly HeaderPart[] => [
  centralHeader(manifestEntry(facts)),
  centralHeader(binaryEntry(facts)),
  endRecord(facts),
];

/** Bytes of a part. */
export const partBytes = (part: HeaderPart): number =>
  part.fields.reduce((sum, [, bytes]) => sum + bytes, part.suffix.length);

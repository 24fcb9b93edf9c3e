import { write } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ZipArchive } from 'archiver';
import {
  BINARY_MODE,
  BINARY_NAME,
  LOCAL_CRC_OFFSET,
  MANIFEST_MODE,
  MANIFEST_NAME,
  MANIFEST_OFFSET,
} from './layout.ts';

/** The only time in a spore's headers: the first that zip can say. */
const DATE = new Date(Date.UTC(1980, 0, 1));

const DEFLATED = 8;
/** Version 2.0 is what deflate needs. */
const VERSION_DEFLATE = 20;

/** A deflate stream that is there already, and its facts, known when it has been read. */
export interface DeflatedSource {
  readonly facts: {
    readonly crc: number;
    /** Before deflating. */
    readonly bytes: number;
    readonly deflatedBytes: number;
  };
  chunks(): AsyncIterable<Buffer>;
  /** Told when a chunk is written. */
  release(chunk: Buffer): void;
}

/** What archiver 8.0.0 (pinned) has inside and does not declare. */
interface ZipEngine extends NodeJS.WritableStream {
  _appendStream(entry: ZipEntry, source: Readable, done: (error: Error | null) => void): void;
  _writeLocalFileHeader(entry: ZipEntry): void;
  _afterAppend(entry: ZipEntry): void;
}
interface ZipEntry {
  setMethod(method: number): void;
  setCrc(crc: number): void;
  setSize(bytes: number): void;
  setCompressedSize(bytes: number): void;
  setVersionNeededToExtract(version: number): void;
  getGeneralPurposeBit(): { useDataDescriptor(use: boolean): void };
}

/**
 * Writes a spore's container to `out`, which is empty. The header of the binary comes before the data
 * whose size and CRC-32 it names, so it is written again when they are known: a data descriptor
 * behind the data would let two readers disagree about where the data ends.
 */
export async function writeContainer(
  out: FileHandle,
  manifest: Buffer,
  binary: DeflatedSource,
): Promise<void> {
  const archive = new ZipArchive();
  takeDeflated(archive, binary);
  archive.append(manifest, { name: MANIFEST_NAME, date: DATE, mode: MANIFEST_MODE, store: true });
  const data = Readable.from(binary.chunks(), { objectMode: false });
  archive.append(data, { name: BINARY_NAME, date: DATE, mode: BINARY_MODE });
  data.once('error', (error) => archive.destroy(error));
  const written = pipeline(archive, sinkTo(out, binary));
  await Promise.all([archive.finalize(), written]);

  const sums = Buffer.alloc(12);
  sums.writeUInt32LE(binary.facts.crc, 0);
  sums.writeUInt32LE(binary.facts.deflatedBytes, 4);
  sums.writeUInt32LE(binary.facts.bytes, 8);
  await out.write(sums, 0, 12, MANIFEST_OFFSET + manifest.length + LOCAL_CRC_OFFSET);
}

/** Makes archiver's engine take streams for what they are here: deflated already. */
function takeDeflated(archive: ZipArchive, binary: DeflatedSource): void {
  const { engine } = (archive as unknown as { _module: { engine: ZipEngine } })._module;
  engine._appendStream = (entry, source, done) => {
    entry.setMethod(DEFLATED);
    entry.setVersionNeededToExtract(VERSION_DEFLATE);
    entry.getGeneralPurposeBit().useDataDescriptor(false);
    engine._writeLocalFileHeader(entry);
    source.once('end', () => {
      entry.setCrc(binary.facts.crc);
      entry.setCompressedSize(binary.facts.deflatedBytes);
      entry.setSize(binary.facts.bytes);
      engine._afterAppend(entry);
      done(null);
    });
    source.pipe(engine, { end: false });
  };
}

function sinkTo(out: FileHandle, binary: DeflatedSource): Writable {
  let position = 0;
  return new Writable({
    highWaterMark: 4 * 1024 * 1024,
    write(chunk: Buffer, _encoding, callback) {
      writeAll(out.fd, chunk, position, (error) => {
        binary.release(chunk);
        callback(error);
      });
      position += chunk.length;
    },
  });
}

function writeAll(
  fd: number,
  chunk: Buffer,
  position: number,
  callback: (error: Error | null) => void,
): void {
  write(fd, chunk, 0, chunk.length, position, (error, written) => {
    if (error || written === chunk.length) callback(error);
    else writeAll(fd, chunk.subarray(written), position + written, callback);
  });
}

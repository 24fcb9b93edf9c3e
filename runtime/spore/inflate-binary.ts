import { createInflateRaw } from 'node:zlib';
import unzipper from 'unzipper';
import type { CodedError } from '../../machines/kernel/coded-error.ts';
import { sporeError } from '../../machines/workload/spore-errors.ts';
import type { Container } from './container.ts';
import { InflateSink } from './inflate-sink.ts';
import type { SinkFacts } from './inflate-sink.ts';
import { BINARY_NAME } from './layout.ts';
import type { SporeFile } from './spore-file.ts';

/** Bytes that zlib gives at a time; its default, 16 KiB, costs more in calls than in work. */
const INFLATE_BYTES = 1024 * 1024;

/** Without any progress for this long the file system hangs, or a library does. */
const STALL_TIMEOUT_MS = 30_000;

/**
 * Reads the binary of a checked container through unzipper and inflates it into `fd`, if there is
 * one. Throws MESH_ERR_SPORE_DATA unless size, CRC-32 and the end of the compressed data are exactly
 * what the headers say; failures of the disk come through as they are.
 */
export async function inflateBinary(
  file: SporeFile,
  container: Container,
  fd?: number,
): Promise<SinkFacts> {
  const { facts } = container;
  const sink = new InflateSink(facts.binaryBytes, fd);
  const disk = Promise.withResolvers<never>();
  // It may fail before or after somebody waits for it.
  disk.promise.catch(() => undefined);
  const reading = openEntry(file, container, disk.reject);
  const consumed = await Promise.race([reading.then((entry) => pump(entry, sink)), disk.promise]);
  const found = sink.facts();
  if (consumed !== facts.deflatedBytes)
    throw dataError(`the data ends after ${consumed} of ${facts.deflatedBytes} compressed bytes`);
  if (found.bytes !== facts.binaryBytes)
    throw dataError(`${found.bytes} bytes came out, ${facts.binaryBytes} are declared`);
  if (found.crc !== facts.binaryCrc) throw dataError('the CRC-32 differs from the declared one');
  return found;
}

/** The compressed bytes of the binary. */
async function openEntry(
  file: SporeFile,
  container: Container,
  onError: (error: Error) => void,
): Promise<NodeJS.ReadableStream> {
  const { files } = await unzipper.Open.custom(file.source(container, onError));
  const entry = files.find(({ path }) => path === BINARY_NAME);
  if (!entry || files.length !== 2) throw dataError('its directory is not readable');
  // Told that the entry is stored, unzipper hands out the bytes as they are, so that the end of the
  // deflate stream can be held against the end of the entry.
  entry.compressionMethod = 0;
  return entry.stream();
}

/** Resolves to the compressed bytes that the deflate stream really had. */
function pump(source: NodeJS.ReadableStream, sink: InflateSink): Promise<number> {
  const inflate = createInflateRaw({ chunkSize: INFLATE_BYTES });
  return new Promise<number>((resolve, reject) => {
    let timer = setTimeout(stalled, STALL_TIMEOUT_MS);
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      source.unpipe(inflate);
      inflate.destroy();
      sink.destroy();
      act();
    };
    const fail = (cause: Error): void => settle(() => reject(cause));
    const failData = (cause: Error): void => fail(dataError('the data is damaged', cause));
    function stalled(): void {
      fail(dataError(`nothing came for ${STALL_TIMEOUT_MS} ms`));
    }
    source.on('error', failData);
    inflate.on('error', failData);
    inflate.on('data', () => {
      clearTimeout(timer);
      timer = setTimeout(stalled, STALL_TIMEOUT_MS);
    });
    sink.on('error', fail);
    sink.on('finish', () => settle(() => resolve(inflate.bytesWritten)));
    source.pipe(inflate).pipe(sink);
  });
}

function dataError(what: string, cause?: Error): CodedError {
  return sporeError('MESH_ERR_SPORE_DATA', `Inflating the binary of a spore: ${what}.`, { cause });
}

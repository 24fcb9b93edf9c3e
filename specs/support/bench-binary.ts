import { closeSync, copyFileSync, openSync, readSync, truncateSync, writeSync } from 'node:fs';

/** Bytes of the binary in the pack and unpack benches. */
export const BENCH_BINARY_BYTES = 200 * 1024 * 1024;

/** Makes a large, realistic binary: this Node's own executable, again and again. */
export function makeBenchBinary(path: string): void {
  copyFileSync(process.execPath, path);
  const fd = openSync(path, 'a+');
  const chunk = Buffer.alloc(1024 * 1024);
  try {
    for (let at = 0; ; at += chunk.length) {
      const read = readSync(fd, chunk, 0, chunk.length, at);
      writeSync(fd, chunk, 0, read);
      if (at >= BENCH_BINARY_BYTES) break;
    }
  } finally {
    closeSync(fd);
  }
  truncateSync(path, BENCH_BINARY_BYTES);
}

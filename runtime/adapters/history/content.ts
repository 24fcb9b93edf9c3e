/** What every store of a history does with content, whatever it lies in. */
import { hash } from 'node:crypto';
import { CONTENT_BYTES_MAX } from '../../../actors/coordinator/ports/history.ts';
import type { ContentKind, HistoryEvent } from '../../../actors/coordinator/ports/history.ts';
import { historyError } from '../../../machines/coordinator/history-errors.ts';
import { CodedError } from '../../../machines/kernel/coded-error.ts';
import type { Digest } from '../../../machines/kernel/ids.ts';

/** The name of content; MESH_ERR_HISTORY_TOO_LARGE beyond the limit. */
export function digestOf(kind: string, bytes: Uint8Array): Digest {
  if (bytes.length > CONTENT_BYTES_MAX)
    throw historyError(
      'MESH_ERR_HISTORY_TOO_LARGE',
      `Writing to ${kind}: ${bytes.length} bytes, at most ${CONTENT_BYTES_MAX}.`,
    );
  return hash('sha256', bytes) as Digest;
}

/** Content as it was read, if it is what its name says; MESH_ERR_HISTORY_CORRUPT, _MISSING. */
export function checkedContent(
  kind: ContentKind,
  digest: Digest,
  bytes: Uint8Array | undefined,
): Uint8Array {
  if (bytes === undefined)
    throw historyError('MESH_ERR_HISTORY_MISSING', `Reading ${kind}/${digest}: there is none.`);
  if (hash('sha256', bytes) === digest) return bytes;
  throw historyError(
    'MESH_ERR_HISTORY_CORRUPT',
    `Reading ${kind}/${digest}: the content has another SHA-256.`,
  );
}

/** MESH_ERR_HISTORY_UNAVAILABLE for a failure of the system; coded errors pass unchanged. */
export function unavailable(attempted: string, cause: unknown): CodedError {
  if (cause instanceof CodedError && cause.code.startsWith('MESH_ERR_HISTORY_')) return cause;
  return historyError('MESH_ERR_HISTORY_UNAVAILABLE', `${attempted} failed.`, { cause });
}

/** The listeners of one store, and a regular look for what others did to it. */
export class Watchers {
  readonly #listeners = new Set<(event: HistoryEvent) => void>();

  get size(): number {
    return this.#listeners.size;
  }

  add(listener: (event: HistoryEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of this.#listeners) listener({ type: 'changed' });
  }

  /** All of them end. */
  fail(message: string): void {
    const ended = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of ended) listener({ type: 'failed', message });
  }

  clear(): void {
    this.#listeners.clear();
  }
}

/** Ways to spoil a file, as data, so that fast-check can shrink them. */
import * as fc from 'fast-check';

export type Mutation =
  | { readonly kind: 'overwrite' | 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'remove' | 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'move'; readonly from: number; readonly to: number; readonly length: number };

/** Places and lengths are fractions, so that the same mutation fits files of any size. */
const place = fc.double({ min: 0, max: 1, noNaN: true });
const bytes = fc.uint8Array({ minLength: 1, maxLength: 16 });
const length = fc.integer({ min: 1, max: 64 });

/** One mutation of a file. */
export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constantFrom('overwrite' as const, 'insert' as const), at: place, bytes }),
  fc.record({ kind: fc.constantFrom('remove' as const, 'repeat' as const), at: place, length }),
  fc.record({ kind: fc.constant('move' as const), from: place, to: place, length }),
);

/** Applies mutations one after the other. */
export function mutate(file: Buffer, mutations: readonly Mutation[]): Buffer {
  let result = file;
  for (const step of mutations) result = mutateOnce(result, step);
  return result;
}

function mutateOnce(file: Buffer, step: Mutation): Buffer {
  const offset = (fraction: number): number => Math.floor(fraction * file.length);
  const splice = (at: number, removed: number, added: Uint8Array): Buffer =>
    Buffer.concat([file.subarray(0, at), added, file.subarray(at + removed)]);
  switch (step.kind) {
    case 'overwrite':
      return splice(offset(step.at), step.bytes.length, step.bytes);
    case 'insert':
      return splice(offset(step.at), 0, step.bytes);
    case 'remove':
      return splice(offset(step.at), step.length, new Uint8Array());
    case 'repeat': {
      const at = offset(step.at);
      return splice(at, 0, file.subarray(at, at + step.length));
    }
    case 'move': {
      const part = file.subarray(offset(step.from), offset(step.from) + step.length);
      return splice(offset(step.to), part.length, part);
    }
  }
}

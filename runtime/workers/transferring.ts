/**
 * What a worker module returns to move buffers of its result to the main thread instead of copying
 * them. `value` may hold views of them anywhere.
 */
export class Transferring<Value> {
  readonly value: Value;
  readonly buffers: readonly ArrayBuffer[];

  constructor(value: Value, buffers: readonly ArrayBuffer[]) {
    this.value = value;
    this.buffers = buffers;
  }
}

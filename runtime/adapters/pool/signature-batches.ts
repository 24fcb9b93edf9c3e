/**
 * Gathers signature checks of all callers into batches: a message to a worker costs as much as two
 * verifications, so single ones would waste the second core.
 */
import type { SignatureCheck } from '../../../actors/pool/ports.ts';
import type { Clock, TimerId } from '../../../machines/kernel/clock.ts';
import type { CodedError } from '../../../machines/kernel/coded-error.ts';
import { poolError } from '../../../machines/pool/errors.ts';
import { packChecks } from '../../workers/signature-batch.ts';
import { workerModule } from '../../workers/worker-module.ts';
import type { Job } from './job.ts';

/** A full batch, about 2 ms of work: it goes out at once. */
export const BATCH_CHECKS_MAX = 64;

/** From this many on a batch goes to an idle worker without waiting for more. */
export const BATCH_CHECKS_MIN = 16;

/** Message bytes that close a batch, so that long messages do not make batches slow. */
export const BATCH_BYTES_MAX = 1024 * 1024;

/** Milliseconds that the first check of a batch waits for company. */
export const LINGER_MS = 1;

const MODULE = workerModule('../../workers/verify-signatures', import.meta.url);

interface Call {
  readonly checks: readonly SignatureCheck[];
  readonly verdicts: boolean[];
  readonly resolve: (verdicts: boolean[]) => void;
  readonly reject: (error: unknown) => void;
  readonly forget: () => void;
  /** The first check that is in no batch yet. */
  next: number;
  /** Checks without a verdict. */
  open: number;
  isSettled: boolean;
}

interface Slice {
  readonly call: Call;
  readonly from: number;
  readonly count: number;
}

export interface SignatureBatchesOptions {
  readonly clock: Clock;
  /** Checks that may wait; one call larger than this is taken when nothing else waits. */
  readonly waitingMax: number;
  /** Batches that could begin now. */
  readonly room: () => number;
  readonly begin: (job: Job) => void;
}

export class SignatureBatches {
  readonly #options: SignatureBatchesOptions;
  readonly #calls: Call[] = [];
  #waiting = 0;
  #timer: TimerId;
  #isDue = false;
  refusals = 0;

  constructor(options: SignatureBatchesOptions) {
    this.#options = options;
  }

  /** Checks that are in no batch yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Rejects with MESH_ERR_POOL_BUSY and MESH_ERR_POOL_CANCELLED. */
  submit(checks: readonly SignatureCheck[], signal?: AbortSignal): Promise<boolean[]> {
    if (signal?.aborted) return Promise.reject(cancelled(checks.length));
    if (checks.length === 0) return Promise.resolve([]);
    if (this.#waiting > 0 && this.#waiting + checks.length > this.#options.waitingMax) {
      this.refusals++;
      const found = `${this.#waiting} wait already; the most is ${this.#options.waitingMax}.`;
      const attempt = `Queueing ${checks.length} signatures: ${found}`;
      return Promise.reject(poolError('MESH_ERR_POOL_BUSY', attempt));
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => this.#drop(call, cancelled(checks.length));
      const call: Call = {
        checks,
        verdicts: Array.from({ length: checks.length }, () => false),
        resolve,
        reject,
        forget: () => signal?.removeEventListener('abort', onAbort),
        next: 0,
        open: checks.length,
        isSettled: false,
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#calls.push(call);
      this.#waiting += checks.length;
      this.pump();
    });
  }

  /** Sends out what is ready, as far as there is room. */
  pump(): void {
    while (this.#waiting > 0 && this.#isReady() && this.#options.room() > 0) {
      const slices = this.#takeBatch();
      if (slices.length > 0) this.#options.begin(batchJob(slices));
    }
    if (this.#waiting === 0) this.#isDue = false;
    else if (!this.#isDue) this.#arm();
  }

  /** Sends out what waits for company, now. */
  flush(): void {
    this.#isDue = this.#waiting > 0;
    this.pump();
  }

  rejectAll(makeError: (name: string) => CodedError): void {
    for (const call of this.#calls.slice())
      this.#drop(call, makeError(`the check of ${call.checks.length} signatures`));
  }

  #isReady(): boolean {
    return this.#isDue || this.#waiting >= BATCH_CHECKS_MIN;
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, LINGER_MS);
  }

  #takeBatch(): Slice[] {
    const slices: Slice[] = [];
    let checks = 0;
    let bytes = 0;
    for (let call = this.#calls[0]; call; call = this.#calls[0]) {
      const from = call.next;
      while (call.next < call.checks.length && checks < BATCH_CHECKS_MAX) {
        const size = call.checks[call.next]?.message.length ?? 0;
        if (checks > 0 && bytes + size > BATCH_BYTES_MAX) break;
        bytes += size;
        checks++;
        call.next++;
      }
      if (call.next > from) slices.push({ call, from, count: call.next - from });
      if (call.next < call.checks.length) break;
      this.#calls.shift();
    }
    this.#waiting -= checks;
    return slices;
  }

  #drop(call: Call, error: CodedError): void {
    const at = this.#calls.indexOf(call);
    if (at >= 0) {
      this.#calls.splice(at, 1);
      this.#waiting -= call.checks.length - call.next;
    }
    settle(call, () => call.reject(error));
  }
}

function batchJob(slices: readonly Slice[]): Job {
  const checksOf = ({ call, from, count }: Slice): readonly SignatureCheck[] =>
    call.checks.slice(from, from + count);
  return {
    name: `a batch of ${slices.reduce((sum, { count }) => sum + count, 0)} signatures`,
    lane: 'verify',
    isRepeatable: true,
    order: () => {
      const payload = packChecks(slices.flatMap(checksOf));
      return { module: MODULE, payload, transfer: [payload] };
    },
    resolve: (verdicts) => distribute(slices, verdicts as Uint8Array),
    reject: (error) => {
      for (const { call } of slices) settle(call, () => call.reject(error));
    },
    split: () => slices.filter(({ call }) => !call.isSettled).map((slice) => batchJob([slice])),
  };
}

function distribute(slices: readonly Slice[], verdicts: Uint8Array): void {
  let at = 0;
  for (const { call, from, count } of slices) {
    for (let index = 0; index < count; index++)
      call.verdicts[from + index] = verdicts[at + index] === 1;
    at += count;
    call.open -= count;
    if (call.open === 0) settle(call, () => call.resolve(call.verdicts));
  }
}

function settle(call: Call, settle: () => void): void {
  if (call.isSettled) return;
  call.isSettled = true;
  call.forget();
  settle();
}

function cancelled(count: number): CodedError {
  const attempt = `Checking ${count} signatures: cancelled by the caller.`;
  return poolError('MESH_ERR_POOL_CANCELLED', attempt);
}

/**
 * The one error base. Errors cross workers, sockets and journals, so at a boundary they are matched
 * by `code`, never by `instanceof`.
 */

/** JSON that an error may carry. Never a secret, never key material. */
export type ErrorDetails = { readonly [key: string]: unknown };

/** An error as it crosses a boundary. */
export interface ErrorJson {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
  readonly details?: ErrorDetails;
  readonly cause?: ErrorJson | { readonly message: string };
}

/** One row of a domain's error table. */
export interface ErrorRow {
  /** Retrying the same call may succeed later. */
  readonly retryable?: true;
  /** One imperative sentence for the operator. */
  readonly hint: string;
  /** The long form that `mesh explain CODE` prints: when it happens, and what to check. */
  readonly explain: string;
}

export type ErrorTable = { readonly [code: string]: ErrorRow };

/** What a coded error may carry beside code and message. */
export interface CodedErrorOptions {
  readonly hint?: string;
  readonly cause?: unknown;
  readonly details?: ErrorDetails;
  readonly retryAfterMs?: number;
}

/** Deeper causes are cut, so that a chain never makes a message unbounded. */
const CAUSE_DEPTH_MAX = 8;

export abstract class CodedError extends Error {
  abstract readonly retryable: boolean;
  readonly code: string;
  readonly hint: string;
  readonly details: ErrorDetails | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, options: CodedErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint ?? '';
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
  }

  toJSON(): ErrorJson {
    return errorToJson(this, 0);
  }

  /** Rebuilds an error that crossed a boundary; anything malformed becomes an internal error. */
  static fromJSON(json: unknown): CodedError {
    const row = (typeof json === 'object' && json !== null ? json : {}) as Partial<ErrorJson>;
    const options: CodedErrorOptions = {
      hint: typeof row.hint === 'string' ? row.hint : '',
      ...(row.cause === undefined ? {} : { cause: causeFromJson(row.cause) }),
      ...(row.details === undefined ? {} : { details: row.details }),
      ...(row.retryAfterMs === undefined ? {} : { retryAfterMs: row.retryAfterMs }),
    };
    const code = typeof row.code === 'string' ? row.code : 'MESH_ERR_KERNEL_UNKNOWN';
    const message = typeof row.message === 'string' ? row.message : 'An error without a message.';
    return row.retryable === true
      ? new RetryableError(code, message, options)
      : new TerminalError(code, message, options);
  }
}

/** Retrying the same call cannot help: the input, the state or the program must change first. */
export class TerminalError extends CodedError {
  readonly retryable = false;
}

/** The same call may succeed later, after `retryAfterMs` where that is known. */
export class RetryableError extends CodedError {
  readonly retryable = true;
}

function causeFromJson(cause: NonNullable<ErrorJson['cause']>): Error {
  return 'code' in cause ? CodedError.fromJSON(cause) : new Error(cause.message);
}

function errorToJson(error: CodedError, depth: number): ErrorJson {
  const { cause } = error;
  return {
    code: error.code,
    message: error.message,
    hint: error.hint,
    ...(error.retryable ? { retryable: true } : {}),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    ...(error.details === undefined ? {} : { details: error.details }),
    ...(cause === undefined || depth >= CAUSE_DEPTH_MAX
      ? {}
      : { cause: causeToJson(cause, depth) }),
  };
}

function causeToJson(cause: unknown, depth: number): NonNullable<ErrorJson['cause']> {
  if (cause instanceof CodedError) return errorToJson(cause, depth + 1);
  return { message: cause instanceof Error ? cause.message : String(cause) };
}

/**
 * Binds a domain's table, so that an error takes its family and its hint from the row of its code
 * and a code without a row does not compile.
 */
export function errorsOf<Table extends ErrorTable>(table: Table) {
  return (
    code: keyof Table & string,
    message: string,
    options: CodedErrorOptions = {},
  ): CodedError => {
    const row = table[code] as ErrorRow;
    const filled = { ...options, hint: options.hint ?? row.hint };
    return row.retryable
      ? new RetryableError(code, message, filled)
      : new TerminalError(code, message, filled);
  };
}

/** The code of anything thrown, for matching at a boundary; `undefined` when it has none. */
export function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

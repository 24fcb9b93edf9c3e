/** Bytes of a recording; at fifty events a second, hours of it. */
export const RECORDING_BYTES_MAX = 64 * 1024 * 1024;
/** Lines of a recording: a reader keeps all of them. */
export const RECORDING_LINES_MAX = 300_000;
/** Characters of one context; the page of a live actor shows more. */
export const CONTEXT_CHARACTERS = 4_096;
/** Rows of the tree in one line. */
export const ROWS_IN_A_LINE = 500;

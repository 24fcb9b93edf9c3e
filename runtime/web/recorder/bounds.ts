/** Log lines that are kept; at 5,000 events a second, four seconds. */
export const LOG_ROWS_MAX = 20_000;
/** Steps of a watched actor. */
export const STEPS_MAX = 300;
/** How often viewers are told what changed. */
export const DELTA_PERIOD_MS = 100;

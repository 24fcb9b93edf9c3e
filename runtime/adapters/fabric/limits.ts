/** Each bound is far above what one machine runs, and low enough that reaching it harms nothing. */
export const APPS_MAX = 1_000;
export const NODES_MAX = 1_000;
export const SLOTS_PER_APP_MAX = 1_000;
/** Over all apps. */
export const SLOTS_MAX = 10_000;
export const INSTANCES_MAX = 20_000;
export const ENDPOINTS_MAX = 20_000;
export const WATCHES_MAX = 10_000;
/** Deployments that are kept per app; the newest succeeded one always is among them. */
export const HISTORY_PER_APP_MAX = 100;
/** How often another process's commits are looked for. */
export const POLL_INTERVAL_MS = 250;
/** How long a write waits for another process's; the event loop stands still meanwhile. */
export const BUSY_TIMEOUT_MS = 2_000;

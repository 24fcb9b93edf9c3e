/** Ids of a Coordinator's actors. */
export const COORDINATOR_ID = 'coordinator';
export const STATEGUARD_ID = 'stateguard';
export const HISTORY_WATCH_ID = 'history-watch';
export const RECOVERY_ID = 'recovery';
export const CONNECTIONS_ID = 'connections';
export const FRONT_ID = 'front';
export const OWNER_ID = 'owner';

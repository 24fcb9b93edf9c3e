import type { KeyFile } from '../spore/signing.ts';

/** Beside a history, where those who share it find each other. */
export const PEERS_FOLDER = 'peers';

/** Of a key's id in a name. */
const NAME_CHARS = 10;

/** The name of a Coordinator that was given none. */
export const coordinatorName = ({ id }: Pick<KeyFile, 'id'>): string =>
  `c-${id.slice(0, NAME_CHARS)}`;

import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** `sun_path` of sockaddr_un(7) has 108 bytes, the last of them is the terminator. */
const SOCKET_PATH_BYTES_MAX = 107;

/** A path that bind(2) and connect(2) accept, for as long as it is not closed. */
export interface SocketPath {
  readonly path: string;
  close(): void;
}

/**
 * Opens a way to a Unix socket however long its path is: a longer one is reached through the open
 * descriptor of its folder. Throws what open(2) says of the folder.
 */
export function openSocketPath(socket: string): SocketPath {
  if (Buffer.byteLength(socket) <= SOCKET_PATH_BYTES_MAX)
    return { path: socket, close: () => undefined };
  const folder = openSync(dirname(socket), constants.O_RDONLY | constants.O_DIRECTORY);
  let isOpen = true;
  return {
    path: `/proc/self/fd/${String(folder)}/${basename(socket)}`,
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      closeSync(folder);
    },
  };
}

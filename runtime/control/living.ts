import { connect } from 'node:net';
import { codeOf } from '../../machines/kernel/coded-error.ts';

/** How long a socket file may leave a connection open without taking it. */
const LIVING_TIMEOUT_MS = 1_000;

/** Whether somebody takes connections on that socket. */
export function isLiving(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.setTimeout(LIVING_TIMEOUT_MS, () => {
    // A full backlog of a mesh that is stuck is still a mesh.
    resolve(true);
    socket.destroy();
  });
  socket.once('connect', () => {
    resolve(true);
    socket.destroy();
  });
  socket.once('error', (error) => {
    resolve(codeOf(error) === 'EAGAIN' || codeOf(error) === 'EACCES');
  });
  return promise;
}

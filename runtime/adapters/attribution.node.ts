import { AsyncLocalStorage } from 'node:async_hooks';
import type { AsyncAttribution } from '../../supervisor/index.ts';

type Listener = (owner: object, error: unknown) => boolean;

const owners = new AsyncLocalStorage<object>();
const listeners = new Set<Listener>();

const isTaken = (error: unknown): boolean => {
  const owner = owners.getStore();
  if (owner === undefined) return false;
  for (const listener of listeners) if (listener(owner, error)) return true;
  return false;
};

/**
 * While a tree runs, uncaught exceptions come here first; Node then tells no `uncaughtException`
 * listener, so those without an owner are handed on by hand. With nobody to hand them to, the
 * process ends as it would have.
 */
function onException(error: Error): void {
  if (isTaken(error)) return;
  if (process.listenerCount('uncaughtException') > 0) {
    process.emit('uncaughtException', error);
    return;
  }
  process.setUncaughtExceptionCaptureCallback(null);
  throw error;
}

function onRejection(reason: unknown): void {
  if (isTaken(reason) || process.listenerCount('unhandledRejection') > 1) return;
  throw reason;
}

/**
 * Attributes errors by Node's asynchronous context. It hooks the process only while a tree listens,
 * and not at all where another capture callback is set (then such errors stay nobody's).
 */
export const nodeAttribution: AsyncAttribution = {
  run: (owner, fn, ...args) => owners.run(owner, fn, ...args),
  onError: (listener) => {
    if (listeners.size === 0) {
      if (!process.hasUncaughtExceptionCaptureCallback())
        process.setUncaughtExceptionCaptureCallback(onException);
      process.prependListener('unhandledRejection', onRejection);
    }
    listeners.add(listener);
    return () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      process.setUncaughtExceptionCaptureCallback(null);
      process.removeListener('unhandledRejection', onRejection);
    };
  },
};

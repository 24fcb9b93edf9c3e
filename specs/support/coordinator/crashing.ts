/** A process that dies at one call of its ports: that call, and every later one, never answers. */

/** Whether the call that it dies in was done. */
export type Moment = 'before' | 'after';

export interface Crash {
  /** Calls that were begun. */
  readonly calls: readonly string[];
  /** Resolves when it has died. */
  readonly died: Promise<void>;
  /** The port, as the dying process uses it. */
  wrap<Port extends object>(port: Port): Port;
}

const forever = (): Promise<never> => new Promise<never>(() => {});

/** Dies at the call of that number, the first being 1. */
export function crashAt(number: number, moment: Moment): Crash {
  const calls: string[] = [];
  const { promise: died, resolve: die } = Promise.withResolvers<void>();
  const call = async (name: string, work: () => unknown): Promise<unknown> => {
    calls.push(name);
    if (calls.length < number) return work();
    if (calls.length === number && moment === 'after') await work();
    die();
    return forever();
  };
  const wrap = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property, target);
        if (typeof member !== 'function') return member;
        return (...given: unknown[]) =>
          call(String(property), () => Reflect.apply(member, target, given) as unknown);
      },
    });
  return { calls, died, wrap };
}

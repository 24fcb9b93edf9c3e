import { describe, expect, it } from 'vitest';
import { Turns } from '../../../runtime/certificates/turns.ts';
import { settle } from '../../support/virtual-clock.ts';

const going = new AbortController().signal;

/** Work that says when it begins, and ends when it is told. */
function work(name: string, begun: string[]) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const run = (): Promise<void> => {
    begun.push(name);
    return promise;
  };
  return { run, end: resolve };
}

describe('Turns', () => {
  it('lets so many through at a time, in their order, also past failures', async () => {
    const begun: string[] = [];
    const turns = new Turns(2);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => work(name, begun));
    const all = [a, b, c, d].map((one) => turns.run(one?.run ?? (() => Promise.reject()), going));
    await settle();
    expect(begun).toEqual(['a', 'b']);
    b?.end();
    await settle();
    expect(begun).toEqual(['a', 'b', 'c']);
    for (const one of [a, c, d]) one?.end();
    await Promise.all(all);
    await expect(turns.run(() => Promise.reject(new Error('odd')), going)).rejects.toThrow('odd');
    await expect(turns.run(() => Promise.resolve(1), going)).resolves.toBe(1);
  });

  it('forgets who gives up waiting', async () => {
    const begun: string[] = [];
    const turns = new Turns(1);
    const first = work('first', begun);
    const running = turns.run(first.run, going);
    const leaving = new AbortController();
    const gone = turns.run(work('gone', begun).run, leaving.signal);
    const last = work('last', begun);
    const waiting = turns.run(last.run, going);
    leaving.abort(new Error('gave up'));
    await expect(gone).rejects.toThrow('gave up');
    first.end();
    last.end();
    await Promise.all([running, waiting]);
    expect(begun).toEqual(['first', 'last']);
    await expect(turns.run(() => Promise.resolve(), leaving.signal)).rejects.toThrow('gave up');
  });
});

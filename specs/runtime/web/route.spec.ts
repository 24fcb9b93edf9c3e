import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PAGES, PINS_MAX, hashOf, routeOf } from '../../../runtime/web/ui/route.ts';

describe('routeOf', () => {
  it('reads the actor, the step, the filter, the pinned actors and the recording', () => {
    const hash =
      '#/actors/mesh/agents/node-1/hello?at=812&filter=restarts%3E0&pin=mesh/edge&recording=r1';
    expect(routeOf(hash)).toEqual({
      page: 'actors',
      subject: 'mesh/agents/node-1/hello',
      at: 812,
      filter: 'restarts>0',
      pins: ['mesh/edge'],
      recording: 'r1',
    });
    expect(hashOf(routeOf(hash))).toBe(hash);
  });

  it('leaves the at sign of a path as it is', () => {
    const hash = '#/actors/mesh/agents/node-1/@agent';
    expect(hashOf(routeOf(hash))).toBe(hash);
  });

  it('takes a percent sign that encodes nothing for itself', () => {
    expect(routeOf('#/actors/a%/b').subject).toBe('a%/b');
  });

  it('takes three pinned actors, each of them once', () => {
    expect(routeOf('#/actors?pin=a&pin=b&pin=a&pin=c&pin=d').pins).toEqual(['a', 'b', 'c']);
  });

  it.each(['', '#', '#/', '#/nowhere/else', '#/actors?at=soon'])('takes %j for home', (hash) => {
    const home = { subject: null, at: null, filter: '', pins: [], recording: null };
    expect(routeOf(hash)).toEqual({ page: 'actors', ...home });
  });

  it('reads back every address that hashOf writes', () => {
    const part = fc.string({ minLength: 1 }).filter((text) => !text.includes('/'));
    const route = fc.record({
      page: fc.constantFrom(...PAGES),
      subject: fc.option(
        fc.array(part, { minLength: 1, maxLength: 4 }).map((one) => one.join('/')),
      ),
      at: fc.option(fc.nat()),
      filter: fc.string(),
      pins: fc.uniqueArray(part, { maxLength: PINS_MAX }),
      recording: fc.option(part),
    });
    fc.assert(
      fc.property(route, (one) => {
        expect(routeOf(hashOf(one))).toEqual(one);
      }),
    );
  });
});

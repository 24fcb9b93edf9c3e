import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf, routeOf } from '../../../runtime/web/ui/route.ts';

describe('routeOf', () => {
  it('reads the actor, the step and the filter', () => {
    expect(routeOf('#/actors/mesh/agents/node-1/hello?at=812&filter=restarts%3E0')).toEqual({
      page: 'actors',
      subject: 'mesh/agents/node-1/hello',
      at: 812,
      filter: 'restarts>0',
    });
  });

  it.each(['', '#', '#/', '#/nowhere/else', '#/actors?at=soon'])('takes %j for home', (hash) => {
    expect(routeOf(hash)).toEqual({ page: 'actors', subject: null, at: null, filter: '' });
  });

  it('reads back every address that hashOf writes', () => {
    const part = fc.string({ minLength: 1 }).filter((text) => !text.includes('/'));
    const route = fc.record({
      page: fc.constantFrom('actors' as const, 'machines' as const, 'events' as const),
      subject: fc.option(
        fc.array(part, { minLength: 1, maxLength: 4 }).map((one) => one.join('/')),
      ),
      at: fc.option(fc.nat()),
      filter: fc.string(),
    });
    fc.assert(
      fc.property(route, (one) => {
        expect(routeOf(hashOf(one))).toEqual(one);
      }),
    );
  });
});

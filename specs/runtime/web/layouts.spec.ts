import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import { chartOf } from '../../../runtime/charts/chart.ts';
import { sharedLayoutOf } from '../../../runtime/web/layouts.ts';

const chart = (first: string) =>
  chartOf(createMachine({ id: 'lamp', initial: first, states: { [first]: {} } }));

describe('sharedLayoutOf', () => {
  it('computes one layout for charts that say the same', async () => {
    const layout = sharedLayoutOf(chart('off'));
    expect(sharedLayoutOf(chart('off'))).toBe(layout);
    expect((await layout).boxes).toHaveProperty('off');
  });

  it('takes another chart for another, also of the same name', async () => {
    expect((await sharedLayoutOf(chart('on'))).boxes).not.toHaveProperty('off');
  });
});

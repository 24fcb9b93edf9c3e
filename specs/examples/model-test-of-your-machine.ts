import assert from 'node:assert/strict';
import { modelTests } from 'mycelium-mesh/testing';
import { setup } from 'xstate';

/** What a turnstile must do. */
const turnstileMachine = setup({
  types: {} as { events: { type: 'coin' } | { type: 'push' } | { type: 'audit' } },
}).createMachine({
  id: 'turnstile',
  initial: 'locked',
  states: {
    locked: { on: { coin: 'open' } },
    open: { on: { push: 'locked', coin: 'open', audit: 'locked' } },
  },
});

/** The turnstile as it was built: this is what is tested. */
class Turnstile {
  isOpen = false;
  insertCoin(): void {
    this.isOpen = true;
  }
  push(): boolean {
    const passed = this.isOpen;
    this.isOpen = false;
    return passed;
  }
}

const tests = modelTests(turnstileMachine, {
  events: [{ type: 'coin' }, { type: 'push' }],
  sut: () => {
    const turnstile = new Turnstile();
    return {
      apply: ({ type }) => void (type === 'coin' ? turnstile.insertCoin() : turnstile.push()),
      check: (expected) => assert.equal(turnstile.isOpen, expected.matches('open')),
    };
  },
});

// With vitest: it.each(tests.cases)('$name', ({ run }) => run());
for (const { name, run } of tests.cases) {
  await run();
  console.log(`ok  ${name}`);
}
console.log(`not covered: ${tests.uncovered.join(', ')}`);

/** Wraps any port so that its methods fail or are late, by a plan that a seed decides. */
import type { Clock } from '../../machines/kernel/clock.ts';

/** How often what happens to calls of one method; the fractions are of all calls. */
export interface Fault {
  /** The call is refused and nothing was done. */
  readonly before?: number;
  /** It was done, and the answer is lost: the caller sees the same refusal. */
  readonly after?: number;
  /** Calls of an asynchronous method wait from 0 to this many milliseconds first. */
  readonly delayMsMax?: number;
  /** Calls that go through untouched before the faults begin. Default 0. */
  readonly skip?: number;
  /** Calls that are refused at most. Default: no limit. */
  readonly times?: number;
  /** The method throws and is never late. Default: true for `watch…`, false for all others. */
  readonly isSynchronous?: boolean;
}

export interface FaultPlan<Port> {
  readonly seed: number;
  /** Needed where a call is delayed. */
  readonly clock?: Clock;
  /** `*` stands for all methods that are not named. */
  readonly methods: { readonly [Method in keyof Port | '*']?: Fault };
  /** What a refused call rejects with, or throws when the method is synchronous. */
  readonly error: (method: string) => Error;
}

export interface Injection {
  readonly method: string;
  readonly kind: 'before' | 'after';
}

export interface Faulty<Port> {
  readonly port: Port;
  /** What was done to calls so far, in order. */
  readonly injected: readonly Injection[];
  /** From now on every call goes through. */
  heal(): void;
}

interface Tally {
  calls: number;
  refused: number;
}

type Method = (...given: unknown[]) => unknown;

/** The port behaves as before but for its faults; two wrappers of one seed do the same. */
export function faulty<Port extends object>(port: Port, plan: FaultPlan<Port>): Faulty<Port> {
  const injected: Injection[] = [];
  const tallies = new Map<string, Tally>();
  const fraction = fractionsOf(plan.seed);
  let isHealed = false;

  const decide = (method: string, fault: Fault): Injection['kind'] | undefined => {
    const tally = tallies.get(method) ?? { calls: 0, refused: 0 };
    tallies.set(method, tally);
    const { before = 0, after = 0, skip = 0, times = Infinity } = fault;
    const drawn = fraction();
    if (tally.calls++ < skip || tally.refused >= times) return undefined;
    if (drawn >= before + after) return undefined;
    tally.refused++;
    const kind = drawn < before ? 'before' : 'after';
    injected.push({ method, kind });
    return kind;
  };

  const wrap = (method: string, call: Method, fault: Fault): Method => {
    const late = async (kind: Injection['kind'] | undefined, given: unknown[]) => {
      const { delayMsMax = 0 } = fault;
      if (delayMsMax > 0) await pause(plan.clock, Math.floor(fraction() * delayMsMax));
      if (kind === 'before') throw plan.error(method);
      const result = await call(...given);
      if (kind === 'after') throw plan.error(method);
      return result;
    };
    const isSynchronous = fault.isSynchronous ?? method.startsWith('watch');
    return (...given) => {
      if (isHealed) return call(...given);
      const kind = decide(method, fault);
      if (!isSynchronous) return late(kind, given);
      if (kind === 'before') throw plan.error(method);
      const result = call(...given);
      if (kind === 'after') throw plan.error(method);
      return result;
    };
  };

  const wrapped = new Proxy(port, {
    get: (target, property) => {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof property !== 'string' || typeof member !== 'function') return member;
      const fault = plan.methods[property as keyof Port] ?? plan.methods['*'];
      const call = member.bind(target) as Method;
      return fault ? wrap(property, call, fault) : call;
    },
  });
  return { port: wrapped, injected, heal: () => (isHealed = true) };
}

function pause(clock: Clock | undefined, delayMs: number): Promise<void> {
  if (!clock) throw new Error('A plan with delays needs a clock.');
  return new Promise((resolve) => {
    clock.setTimeout(resolve, delayMs);
  });
}

/** Mulberry32: fractions in [0, 1), the same for the same seed. */
function fractionsOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

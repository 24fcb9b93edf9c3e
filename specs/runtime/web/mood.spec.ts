import { describe, expect, it } from 'vitest';
import { peerMood, relayMood } from '../../../runtime/web/ui/parts/mood.ts';

describe('peerMood', () => {
  it.each([
    ['idle', 'idle'],
    ['requesting', 'busy'],
    ['idle, last done', 'good'],
    ['requesting, last timedOut', 'bad'],
    ['idle, last misbehaved', 'bad'],
  ])('takes %j for %s', (line, mood) => {
    expect(peerMood(line)).toBe(mood);
  });
});

describe('relayMood', () => {
  it.each([
    ['reachable', 'good'],
    ['unreachable', 'bad'],
    ['unknown', 'idle'],
    ['dialling', 'busy'],
  ])('takes %j for %s', (state, mood) => {
    expect(relayMood(state)).toBe(mood);
  });
});

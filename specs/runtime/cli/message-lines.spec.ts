import { describe, expect, it } from 'vitest';
import { serveUntilSignal } from '../../../runtime/cli/serve-until-signal.ts';
import { harmless, messageLine } from '../../../runtime/cli/gossip/message-lines.ts';
import type { MessageRow } from '../../../runtime/gossip/message-view.ts';

const row: MessageRow = {
  row: 1,
  id: '0'.repeat(64),
  kind: 'public',
  author: 'ab'.repeat(32),
  authorName: 'bob',
  recipient: null,
  text: 'hello',
  bytes: 5,
  createdAt: '2026-11-21T10:11:12.000Z',
  expiresAt: '2026-11-28T10:11:12.000Z',
  storedAt: '2026-11-21T10:11:13.000Z',
  isVerified: true,
  isOwn: false,
  replyTo: null,
};

describe('harmless', () => {
  it('writes out what a terminal would obey, or what turns the direction of a line', () => {
    expect(harmless('a\u001b[2J\u0007\u009b1m\u202eb\r')).toBe(
      'a\\u001b[2J\\u0007\\u009b1m\\u202eb\\u000d',
    );
  });

  it('leaves text of any language, tabs and lines', () => {
    const text = 'Grüße\t日本語 👋\nשלום';
    expect(harmless(text)).toBe(text);
  });
});

describe('messageLine', () => {
  it('says when, who and what, with further lines set in', () => {
    expect(messageLine({ ...row, text: 'one\ntwo\n' })).toBe(
      '2026-11-21 10:11:12  bob  one\n    two',
    );
  });

  it('marks what is not verified, not public, one’s own, or not readable', () => {
    expect(messageLine({ ...row, isVerified: false, authorName: null })).toContain(
      'abababab?  hello',
    );
    expect(messageLine({ ...row, kind: 'direct', isOwn: true })).toContain('me (direct)  hello');
    expect(messageLine({ ...row, text: null })).toContain('(5 bytes, not readable here)');
  });
});

describe('serveUntilSignal', () => {
  it('stops what ended by itself, and says so', async () => {
    let stops = 0;
    const service = {
      ended: Promise.resolve({ type: 'error' }),
      stop: () => {
        stops++;
        return Promise.resolve();
      },
    };
    await expect(serveUntilSignal(() => Promise.resolve(service))).rejects.toMatchObject({
      code: 'MESH_ERR_CLI_SERVICE_ENDED',
    });
    expect(stops).toBe(1);
  });
});

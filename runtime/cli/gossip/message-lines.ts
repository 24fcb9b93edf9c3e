/** Messages as lines for people. What strangers wrote never reaches a terminal as it is. */
import type { MessageRow } from '../../gossip/message-view.ts';
import { paint } from '../output.ts';

/** Digits of an id that tell two peers apart for people. */
const ID_SHOWN = 8;

/**
 * Controls (C0 but tab and newline, DEL, C1), and marks that change the direction of what follows
 * (Unicode Standard Annex 9): with these a message could draw over others, or read as something else.
 */
const UNSAFE = /(?![\t\n])[\p{Control}\p{Bidi_Control}]/gu;

/** The text with everything that a terminal would obey written out. */
export const harmless = (text: string): string =>
  text.replace(UNSAFE, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** A peer by its name, or by the beginning of its id. */
export const peerName = (peerId: string, name: string | null): string =>
  name ?? peerId.slice(0, ID_SHOWN);

/** When, who, and what; further lines are set in. */
export function messageLine(message: MessageRow): string {
  const { createdAt, author, authorName, text, isVerified, isOwn, kind, bytes } = message;
  const at = paint(process.stdout, 'dim', createdAt.slice(0, 19).replace('T', ' '));
  const name = isOwn ? 'me' : harmless(peerName(author, authorName));
  const who = paint(process.stdout, isVerified ? 'cyan' : 'yellow', isVerified ? name : `${name}?`);
  const to = kind === 'public' ? '' : ` (${kind})`;
  const body = text === null ? `(${String(bytes)} bytes, not readable here)` : harmless(text);
  return `${at}  ${who}${to}  ${body.trimEnd().replaceAll('\n', '\n    ')}`;
}

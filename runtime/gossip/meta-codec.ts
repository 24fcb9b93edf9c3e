import type { MetaCodec } from '../../actors/gossip/ports/services.ts';
import type { CodedError } from '../../machines/kernel/coded-error.ts';
import { envelopeError } from '../../machines/gossip/envelope-errors.ts';
import { canonicalJsonBytes } from '../spore/canonical-json.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Bodies of meta messages. Written is RFC 8785; read is what the built-in serialiser writes again
 * letter by letter, so duplicate members, white space and second spellings of a number or of a
 * character are refused, at the speed of the built-in parser. It is the receiver of half a mebibyte
 * from a stranger: a parser of our own would hold the thread ten times as long.
 */
export const metaCodec: MetaCodec = {
  encode: (message) => canonicalJsonBytes(message),
  decode(body) {
    const bytes = Buffer.from(body, 'base64');
    if (bytes.toString('base64') !== body) throw malformed('the body is not canonical base64');
    let value: unknown;
    let again: string;
    let text: string;
    try {
      text = utf8.decode(bytes);
      value = JSON.parse(text);
      // Deeper nesting than the stack takes ends here as well, with a RangeError.
      again = JSON.stringify(value);
    } catch (cause) {
      throw malformed('the body is no JSON', cause);
    }
    if (again !== text) throw malformed('the body has several readings');
    return value;
  },
};

const malformed = (what: string, cause?: unknown): CodedError =>
  envelopeError('MESH_ERR_ENVELOPE_MALFORMED', `Reading a meta message: ${what}.`, { cause });

/**
 * The structure of DER (X.690) by node-forge; what is signed is verified by OpenSSL, not here. Any
 * bytes that are not what is looked for are MESH_ERR_ATTEST_MALFORMED.
 */
import type { asn1 } from 'node-forge';
import { attestError } from '../../machines/coordinator/attest-errors.ts';

/** Loaded on first use: it takes 20 ms, and a node without hardware evidence never needs it. */
const loadForge = async () => (await import('node-forge')).default;
type Forge = Awaited<ReturnType<typeof loadForge>>;

/** The tag of an explicit `extensions [3]` in a certificate, and of `crlExtensions [0]`. */
const EXTENSIONS_TAG = 3;

/**
 * By default forge decodes what is in a BIT STRING where its bits happen to look like DER, which about
 * one signature in 270 does; its types do not name the options.
 */
const STRICT = { strict: true, parseAllBytes: true, decodeBitStrings: false } as const;
type FromDer = (bytes: string, options: typeof STRICT) => Der;

/** A node of a DER tree. */
export type Der = asn1.Asn1;

/** Reads DER. */
export class DerReader {
  readonly #forge: Forge;
  readonly #what: string;

  private constructor(forge: Forge, what: string) {
    this.#forge = forge;
    this.#what = what;
  }

  get #fromDer(): FromDer {
    return this.#forge.asn1.fromDer as unknown as FromDer;
  }

  /** `what` names the thing in errors. */
  static async load(what: string): Promise<DerReader> {
    return new DerReader(await loadForge(), what);
  }

  parse(bytes: Uint8Array): Der {
    try {
      return this.#fromDer(Buffer.from(bytes).toString('latin1'), STRICT);
    } catch (cause) {
      throw this.#error('it is not DER', cause);
    }
  }

  /** Canonical bytes again. */
  encode(node: Der): Buffer {
    return Buffer.from(this.#forge.asn1.toDer(node).getBytes(), 'latin1');
  }

  children(node: Der | undefined): readonly Der[] {
    if (node === undefined || !Array.isArray(node.value)) throw this.#error('a list is due');
    return node.value;
  }

  bytes(node: Der | undefined): Buffer {
    if (node === undefined || typeof node.value !== 'string') throw this.#error('bytes are due');
    return Buffer.from(node.value, 'latin1');
  }

  oid(node: Der | undefined): string {
    if (!this.#is(node, 'OID')) throw this.#error('an OID is due');
    return this.#forge.asn1.derToOid(this.bytes(node).toString('latin1'));
  }

  /** A small whole number that is not negative. */
  integer(node: Der | undefined): number {
    const bytes = this.bytes(node);
    if (!this.#is(node, 'INTEGER') || !isSmall(bytes)) throw this.#error('a number is due');
    return bytes.readUIntBE(0, bytes.length);
  }

  /** UTCTime or GeneralizedTime, in milliseconds since the epoch. */
  timeMs(node: Der | undefined): number {
    const { asn1 } = this.#forge;
    const text = this.bytes(node).toString('latin1');
    const isUtc = this.#is(node, 'UTCTIME');
    const timeMs = (isUtc ? asn1.utcTimeToDate(text) : asn1.generalizedTimeToDate(text)).getTime();
    if (!Number.isFinite(timeMs)) throw this.#error('a time is due');
    return timeMs;
  }

  /** Values of a certificate's extensions, by OID; duplicates are refused (RFC 5280 §4.2). */
  extensions(certificate: Uint8Array): ReadonlyMap<string, Buffer> {
    const [tbs] = this.children(this.parse(certificate));
    const found = new Map<string, Buffer>();
    const tagged = this.children(tbs).find(
      (one) => this.isTagged(one) && (one.type as number) === EXTENSIONS_TAG,
    );
    for (const extension of tagged ? this.children(this.children(tagged)[0]) : []) {
      const fields = this.children(extension);
      const oid = this.oid(fields[0]);
      if (found.has(oid)) throw this.#error(`extension ${oid} is there twice`);
      found.set(oid, this.octets(fields.at(-1)));
    }
    return found;
  }

  /** Content of an OCTET STRING, also where it was found to hold DER itself. */
  octets(node: Der | undefined): Buffer {
    if (node === undefined || !this.#is(node, 'OCTETSTRING'))
      throw this.#error('an octet string is due');
    return typeof node.value === 'string'
      ? this.bytes(node)
      : Buffer.concat(node.value.map((one) => this.encode(one)));
  }

  /** Whether the node has a tag of its place instead of one of its type. */
  isTagged(node: Der): boolean {
    return node.tagClass === this.#forge.asn1.Class.CONTEXT_SPECIFIC;
  }

  #is(node: Der | undefined, type: keyof typeof asn1.Type): boolean {
    return node?.type === this.#forge.asn1.Type[type] && !this.isTagged(node);
  }

  fail(found: string): never {
    throw this.#error(found);
  }

  #error(found: string, cause?: unknown): Error {
    return attestError('MESH_ERR_ATTEST_MALFORMED', `Reading ${this.#what}: ${found}.`, { cause });
  }
}

const isSmall = (bytes: Buffer): boolean =>
  bytes.length >= 1 && bytes.length <= 5 && (bytes[0] ?? 0) < 0x80;

/**
 * JSON (RFC 8259) with one reading only. Lenient parsers disagree about duplicate keys, numbers and
 * broken Unicode, and a signature over a text that two readers understand differently is worth
 * nothing. Refused are: a BOM, duplicate keys, numbers that are not safe integers, `-0`, lone
 * surrogates, the key `__proto__`, more than 32 levels, and anything after the value.
 */
import { sporeError } from './spore-errors.ts';
import type { CodedError } from '../kernel/coded-error.ts';

export type StrictJson =
  | null
  | boolean
  | number
  | string
  | readonly StrictJson[]
  | { readonly [key: string]: StrictJson };

/** Levels of arrays and objects; a manifest needs four. */
export const JSON_DEPTH_MAX = 32;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** As `parseStrictJson`, from UTF-8 bytes; malformed UTF-8 is MESH_ERR_SPORE_JSON as well. */
export function parseStrictJsonBytes(bytes: Uint8Array): StrictJson {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (cause) {
    throw sporeError('MESH_ERR_SPORE_JSON', 'Reading JSON: the bytes are not UTF-8.', { cause });
  }
  return parseStrictJson(text);
}

/** Parses one JSON value; throws MESH_ERR_SPORE_JSON with line and column of the first fault. */
export function parseStrictJson(text: string): StrictJson {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

/** JSON white space (RFC 8259 §2): tab, line feed, carriage return, space. */
const isSpace = (code: number): boolean =>
  code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

const INTEGER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERALS = new Map<string, null | boolean>([
  ['n', null],
  ['t', true],
  ['f', false],
]);
const ESCAPES: { readonly [letter: string]: string } = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): StrictJson {
    this.#skipSpace();
    const next = this.#text[this.#at];
    if (next === '{') return this.#object(depth + 1);
    if (next === '[') return this.#array(depth + 1);
    if (next === '"') return this.#string();
    if (next === undefined) throw this.#fault('the text ends early');
    const literal = LITERALS.get(next);
    return literal === undefined ? this.#number() : this.#literal(literal);
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#fault('something follows the value');
  }

  #object(depth: number): StrictJson {
    this.#enter(depth);
    const members: Record<string, StrictJson> = {};
    if (this.#tryTake('}')) return members;
    do {
      this.#skipSpace();
      const start = this.#at;
      const key = this.#string();
      if (key === '__proto__') throw this.#fault('the key "__proto__" is not allowed', start);
      if (Object.hasOwn(members, key))
        throw this.#fault(`the key ${JSON.stringify(key)} is there twice`, start);
      this.#take(':');
      members[key] = this.value(depth);
    } while (this.#tryTake(','));
    this.#take('}');
    return members;
  }

  #array(depth: number): StrictJson {
    this.#enter(depth);
    const items: StrictJson[] = [];
    if (this.#tryTake(']')) return items;
    do items.push(this.value(depth));
    while (this.#tryTake(','));
    this.#take(']');
    return items;
  }

  #enter(depth: number): void {
    if (depth > JSON_DEPTH_MAX) throw this.#fault(`more than ${JSON_DEPTH_MAX} levels`);
    this.#at++;
  }

  #string(): string {
    const start = this.#at;
    if (this.#text[this.#at] !== '"') throw this.#fault('a string in double quotes is due here');
    this.#at++;
    let value = '';
    for (;;) {
      const from = this.#at;
      while (isPlain(this.#text.charCodeAt(this.#at))) this.#at++;
      value += this.#text.slice(from, this.#at);
      const stop = this.#text[this.#at];
      if (stop === undefined) throw this.#fault('the string does not end', start);
      if (stop !== '"' && stop !== '\\') throw this.#fault('a raw control character in a string');
      this.#at++;
      if (stop === '"') break;
      value += this.#escape();
    }
    if (!value.isWellFormed()) throw this.#fault('a lone surrogate in a string', start);
    return value;
  }

  #escape(): string {
    const letter = this.#text[this.#at++] ?? '';
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at, this.#at + 4);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#fault('\\u needs four hex digits');
      this.#at += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
    if (character === undefined) throw this.#fault('an unknown escape', this.#at - 1);
    return character;
  }

  #number(): number {
    INTEGER.lastIndex = this.#at;
    const digits = INTEGER.exec(this.#text)?.[0];
    if (digits === undefined) throw this.#fault('no JSON value begins here');
    const value = Number(digits);
    if (!/^-?[0-9]+$/.test(digits) || Object.is(value, -0) || !Number.isSafeInteger(value))
      throw this.#fault(`${digits.slice(0, 40)} is not a safe integer`);
    this.#at += digits.length;
    return value;
  }

  #literal(value: null | boolean): null | boolean {
    const word = String(value);
    if (!this.#text.startsWith(word, this.#at)) throw this.#fault('no JSON value begins here');
    this.#at += word.length;
    return value;
  }

  #skipSpace(): void {
    while (isSpace(this.#text.charCodeAt(this.#at))) this.#at++;
  }

  #tryTake(mark: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #take(mark: string): void {
    if (!this.#tryTake(mark)) throw this.#fault(`"${mark}" is due here`);
  }

  #fault(what: string, at = this.#at): CodedError {
    const before = this.#text.slice(0, at);
    const line = before.split('\n').length;
    const column = at - before.lastIndexOf('\n');
    return sporeError(
      'MESH_ERR_SPORE_JSON',
      `Reading JSON at line ${line}, column ${column}: ${what}.`,
      { details: { line, column } },
    );
  }
}

/** A character that stands for itself in a string; NaN, the end of the text, is none. */
const isPlain = (code: number): boolean => code >= 0x20 && code !== 0x22 && code !== 0x5c;

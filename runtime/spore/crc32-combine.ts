/** The reflected polynomial of CRC-32 (IEEE 802.3), as zip uses it. */
const POLYNOMIAL = 0xedb8_8320;

/** Product of two polynomials over GF(2) modulo the CRC's, bits reflected: x^0 is the top bit. */
function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let bit = 0x8000_0000; bit !== 0; bit >>>= 1) {
    if (a & bit) product ^= factor;
    factor = factor & 1 ? (factor >>> 1) ^ POLYNOMIAL : factor >>> 1;
  }
  return product >>> 0;
}

/** x^(8 · bytes) modulo the polynomial, by squaring. */
function shiftOf(bytes: number): number {
  let result = 0x8000_0000;
  let square = 0x0080_0000;
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

/**
 * CRC-32 of two texts in a row from the CRC of each and the length of the second, so that parts
 * can be summed on several workers. Source: zlib 1.3, crc32_combine.
 */
export function combineCrc32(first: number, second: number, secondBytes: number): number {
  return (multiply(first, shiftOf(secondBytes)) ^ second) >>> 0;
}

// Classes of bytes in HTTP/1.1 (RFC 9110 §5.6, RFC 9112 §3 and §7.1.1), as llhttp reads them. Tables, because a look-up
// costs less than comparisons.

/** Byte of a header name or of a chunk extension's name. */
export const TOKEN = 1;
/** Byte of a header value: tab, space, visible ASCII, or 0x80 and above. */
export const VALUE = 2;
/** Byte of a request target after its slash. */
export const TARGET = 4;
/** Byte that a quoted text contains without a backslash before it. */
export const QUOTED = 8;

/** Sum of the classes of each byte. */
const classes = new Uint8Array(256);
/** Value of each hexadecimal digit, and 255 for other bytes. */
const hexDigits = new Uint8Array(256).fill(255);

for (let byte = 0; byte < classes.length; byte++) {
  const character = String.fromCharCode(byte);
  const isVisible = byte > 0x20 && byte < 0x7f;
  const isValue = isVisible || byte === 0x09 || byte === 0x20 || byte >= 0x80;
  const isToken = isVisible && !'"(),/:;<=>?@[\\]{}'.includes(character);
  classes[byte] =
    (isToken ? TOKEN : 0) +
    (isValue ? VALUE : 0) +
    (isVisible ? TARGET : 0) +
    (isValue && character !== '"' && character !== "\\" ? QUOTED : 0);
  if (/[0-9a-f]/i.test(character)) hexDigits[byte] = Number.parseInt(character, 16);
}

/** True if a byte has a class, such as TOKEN. */
export function isOfClass(byte: number, byteClass: number): boolean {
  return ((classes[byte] as number) & byteClass) !== 0;
}

/** Value of a hexadecimal digit, or 255 for any other byte. */
export function readHexDigit(byte: number): number {
  return hexDigits[byte] as number;
}

// Codes that a person reads on one screen and types on another (RFC 8628, 6.1). They have 20 consonants, and no vowels that form
// words. 20^8 codes are 34 bits.

const ALPHABET = "BCDFGHJKLMNPQRSTVWXZ";
const LENGTH = 8;
const HALF = LENGTH / 2;
/** Bytes from here on are left out, so that all letters are equally likely. */
const FIRST_UNUSED_BYTE = 256 - (256 % ALPHABET.length);

/** Makes a code such as `WDJB-MJHT` from random bytes. Null: too many of the bytes are unusable. */
export function makeUserCode(bytes: Uint8Array): string | null {
  const letters = [...bytes]
    .filter((byte) => byte < FIRST_UNUSED_BYTE)
    .slice(0, LENGTH)
    .map((byte) => ALPHABET.charAt(byte % ALPHABET.length));
  return letters.length < LENGTH ? null : formatCode(letters.join(""));
}

/** Reads a typed code in any case, with or without its hyphen. Null: not a code. */
export function readUserCode(text: string): string | null {
  const letters = text.toUpperCase().replace(/[\s-]/g, "");
  const isCode = letters.length === LENGTH && [...letters].every((each) => ALPHABET.includes(each));
  return isCode ? formatCode(letters) : null;
}

function formatCode(letters: string): string {
  return `${letters.slice(0, HALF)}-${letters.slice(HALF)}`;
}

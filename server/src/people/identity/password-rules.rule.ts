/** Of a password, in characters. The upper one bounds the work of hashing. */
export const passwordLength = { min: 12, max: 200 } as const;

/** What of a person must not be the password. */
export interface Person {
  email: string;
  name: string;
}

const FEWEST_DIFFERENT = 5;
const SHORTEST_PART = 3;
/** What is guessed first, at this length. */
const common = [
  "password",
  "passwort",
  "motdepasse",
  "contraseña",
  "qwertyuiop",
  "qwertzuiop",
  "azertyuiop",
  "letmein",
  "iloveyou",
  "administrator",
  "bursar",
  "anthropic",
  "claude",
  "welcome",
  "changeme",
  "123456789",
  "987654321",
  "abcdefgh",
];

/**
 * What is wrong with a new password, or null. Length is what counts (NIST SP 800-63B): no rule asks for kinds of
 * characters, but what is little more than a well-known word or the person's own name is refused.
 */
export function passwordFault(password: string, { email, name }: Person): string | null {
  const { min, max } = passwordLength;
  const length = [...password].length;
  if (length < min) return `expected at least ${min} characters.`;
  if (password.length > max) return `expected at most ${max} characters.`;
  const text = password.normalize("NFKC").toLowerCase();
  if (new Set(text).size < FEWEST_DIFFERENT) {
    return `expected at least ${FEWEST_DIFFERENT} different characters.`;
  }
  const known = [...common, ...partsOf(email), ...partsOf(name)];
  const rest = known
    .toSorted((a, b) => b.length - a.length)
    .reduce((left, word) => left.replaceAll(word, ""), text)
    .replace(/[\s\d\p{P}\p{S}]/gu, "");
  if (rest.length === 0 && known.some((word) => text.includes(word))) {
    return "it is little more than a well-known word, your name or your address: choose one that nobody would guess.";
  }
  return null;
}

function partsOf(text: string): string[] {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part) => part.length >= SHORTEST_PART);
}

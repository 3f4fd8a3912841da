/** Password length in characters. The maximum bounds the work of hashing. */
export const passwordLength = { min: 12, max: 200 } as const;

/** Personal data that must not be the password. */
export interface Person {
  email: string;
  name: string;
}

const FEWEST_DIFFERENT = 5;
const SHORTEST_PART = 3;
/** Words that attackers try first, at this length. */
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
 * Returns the fault of a new password, or null. Length counts most (NIST SP 800-63B), so no kinds of characters are
 * required. A password close to a well-known word or to the person's name or address is refused.
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
    return "it is too close to a common word, your name or your address. Choose one that is hard to guess.";
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

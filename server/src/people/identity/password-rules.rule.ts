import { passwordLengthBounds } from "@bursar/contract/admin/security-settings.ts";
import { estimateGuesses, type WordRanks } from "./password-strength.rule.ts";

/**
 * Password length in characters. The minimum applies without a longer one of the organization. The maximum bounds the work
 * of checking and hashing.
 */
export const passwordLength = { min: passwordLengthBounds.min, max: 200 } as const;

/** Personal data that must not be the password. */
export interface Person {
  email: string;
  name: string;
  organizationName: string;
  /** Minimum length of the organization, characters. */
  minLength: number;
}

const FEWEST_DIFFERENT = 5;
const SHORTEST_PART = 3;
/**
 * Logarithm (base 10) of the guesses that a password must withstand. A guess takes 0.2 s of a core with our hash, so a
 * stolen hash costs six core-years.
 */
const MIN_GUESSES = 9;
const ownWords = ["bursar", "anthropic", "claude"];

/**
 * Returns the fault of a new password, or null. Length counts most (NIST SP 800-63B), so no kinds of characters are
 * required. A password that consists of common words, simple patterns and personal data is refused.
 */
export function passwordFault(
  password: string,
  { email, name, organizationName, minLength }: Person,
  words: WordRanks,
): string | null {
  const { max } = passwordLength;
  const length = [...password].length;
  if (length < minLength) return `expected at least ${minLength} characters.`;
  if (password.length > max) return `expected at most ${max} characters.`;
  const text = password.normalize("NFKC").toLowerCase();
  if (new Set(text).size < FEWEST_DIFFERENT) {
    return `expected at least ${FEWEST_DIFFERENT} different characters.`;
  }
  const personal = new Set([...ownWords, ...[email, name, organizationName].flatMap(partsOf)]);
  if (estimateGuesses(password, words, personal) < MIN_GUESSES) {
    return (
      "it is easy to guess: it consists of common words or patterns, your name, your address or your organization. " +
      "Use four or more random words, or a password manager."
    );
  }
  return null;
}

function partsOf(text: string): string[] {
  const lower = text.normalize("NFKC").toLowerCase();
  const parts = lower.split(/[^\p{L}\p{N}]+/u);
  return [...parts, parts.join("")].filter((part) => part.length >= SHORTEST_PART);
}

// Estimates how many guesses an attacker needs for a password, like zxcvbn: as the cheapest sequence of known parts.
// Each part is a common word, a word about the person, a keyboard row, a sequence, a repetition, a year or a character.
// Sums of logarithms stay small and the work is bounded by length × longest word.

/** Rank of a word among common passwords and words, from 0. */
export type WordRanks = ReadonlyMap<string, number>;

const LONGEST_WORD = 20;
const SHORTEST_PART = 3;
/** Logarithm (base 10) of the guesses for one unknown character, as zxcvbn. */
const CHARACTER = 1;
/** The same for a character outside ASCII, of thousands. */
const RARE_CHARACTER = 1.5;
/** Factor 2: capitals, replaced letters, the other direction, or a repetition. */
const TWICE = Math.log10(2);
const YEAR = Math.log10(150);
const SEQUENCE = 1.5;
const KEYBOARD = 2;
const PERSONAL = 0.5;

const keyboardRows = [
  "`1234567890-=",
  "qwertyuiop",
  "qwertzuiop",
  "azertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "yxcvbnm",
  "1qaz",
  "2wsx",
  "3edc",
  "4rfv",
  "5tgb",
  "6yhn",
  "7ujm",
];
const replaced: Readonly<Record<string, string>> = {
  "@": "a",
  "4": "a",
  "8": "b",
  "3": "e",
  "9": "g",
  "0": "o",
  $: "s",
  "5": "s",
  "7": "t",
  "+": "t",
  "2": "z",
};

/** Returns the logarithm (base 10) of the number of guesses. */
export function estimateGuesses(
  password: string,
  words: WordRanks,
  personal: ReadonlySet<string>,
): number {
  const original = [...password.normalize("NFKC")];
  const plain = original.map((character) => character.toLowerCase());
  const variants = [plain, ...["i", "l"].map((one) => plain.map((each) => letterOf(each, one)))];
  /** Cheapest cost of the first n characters. */
  const costs = [0];
  for (let end = 1; end <= plain.length; end++) {
    const last = plain[end - 1] ?? "";
    let cheapest = (costs[end - 1] ?? 0) + (last < "\u0080" ? CHARACTER : RARE_CHARACTER);
    for (let start = Math.max(0, end - LONGEST_WORD); start < end; start++) {
      const isCapital = original.slice(start, end).some((each, i) => each !== plain[start + i]);
      const cost = partCost(variants, { start, end }, words, personal) + (isCapital ? TWICE : 0);
      cheapest = Math.min(cheapest, (costs[start] ?? 0) + cost);
    }
    costs.push(cheapest);
  }
  return costs[plain.length] ?? 0;
}

/** Letter that a digit or sign replaces. `1`, `!` and `|` can replace two letters. */
function letterOf(character: string, one: string): string {
  return "1!|".includes(character) ? one : (replaced[character] ?? character);
}

/** Cost of the characters as one part, or Infinity. */
function partCost(
  variants: readonly (readonly string[])[],
  { start, end }: { start: number; end: number },
  words: WordRanks,
  personal: ReadonlySet<string>,
): number {
  const plain = variants[0] ?? [];
  const part = plain.slice(start, end).join("");
  const before = plain.slice(Math.max(0, start - (end - start)), start).join("");
  let cost = part === before ? TWICE : Number.POSITIVE_INFINITY;
  if (end - start < SHORTEST_PART) return cost;
  if (/^(19|20)\d\d$/.test(part)) cost = Math.min(cost, YEAR);
  if (isSequence(part)) cost = Math.min(cost, SEQUENCE);
  variants.forEach((variant, i) => {
    const text = variant.slice(start, end).join("");
    const change = i > 0 && text !== part ? TWICE : 0;
    cost = Math.min(cost, wordCost(text, words, personal) + change);
    const reversed = [...text].reverse().join("");
    cost = Math.min(cost, wordCost(reversed, words, personal) + change + TWICE);
  });
  return cost;
}

function wordCost(text: string, words: WordRanks, personal: ReadonlySet<string>): number {
  if (personal.has(text)) return PERSONAL;
  const rank = words.get(text);
  if (rank !== undefined) return Math.log10(rank + 2);
  return keyboardRows.some((row) => row.includes(text)) ? KEYBOARD : Number.POSITIVE_INFINITY;
}

/** Returns whether each character is the next one, or each the one before: `abcd`, `4321`. */
function isSequence(part: string): boolean {
  const codes = [...part].map((each) => each.codePointAt(0) ?? 0);
  const steps = codes.slice(1).map((code, i) => code - (codes[i] ?? 0));
  return Math.abs(steps[0] ?? 0) === 1 && steps.every((step) => step === steps[0]);
}

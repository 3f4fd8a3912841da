/** Length of 24 random bytes in base64. Shorter secrets can be guessed from sealed data. */
export const MINIMUM_CHARS = 32;
/** 32 random hexadecimal digits have fewer in one of 100,000 cases. */
const MINIMUM_DIFFERENT_CHARS = 9;
/** Characters that must remain without common words and runs. */
const MINIMUM_OTHER_CHARS = 20;
/** Least length of a run such as `1234` or `qwer`. */
const RUN_CHARS = 4;

/** Characters in the order of a keyboard. Runs of the alphabet are found by their codes. */
const KEYBOARD = "qwertyuiop asdfghjkl zxcvbnm";

/** Words of examples, placeholders and usual passwords. */
const COMMON_WORDS = [
  ...["admin", "anthropic", "bursar", "change", "changeme", "character", "characters", "claude"],
  ...["company", "credential", "default", "dev", "development", "example", "for", "gateway"],
  ...["generate", "here", "hello", "insert", "installation", "instead", "key", "least", "letmein"],
  ...[
    "long",
    "master",
    "me",
    "must",
    "my",
    "of",
    "our",
    "password",
    "passw0rd",
    "please",
    "private",
  ],
  ...["prod", "production", "random", "replace", "root", "secret", "secure", "server", "shared"],
  ...["some", "string", "super", "test", "testing", "that", "the", "this", "to", "token", "top"],
  ...["value", "very", "welcome", "with", "world", "your"],
].toSorted((a, b) => b.length - a.length);

/** Returns why a secret can be guessed, as the end of a sentence about it. Null: no reason was found. */
export function findWeakness(secret: string): string | null {
  if (secret.length < MINIMUM_CHARS) {
    return `has ${secret.length} characters, but at least ${MINIMUM_CHARS} are required`;
  }
  const different = new Set(secret).size;
  if (different < MINIMUM_DIFFERENT_CHARS) return `has only ${different} different characters`;
  if (findPeriod(secret) <= secret.length / 2) return "repeats one text";
  return countOtherChars(secret) < MINIMUM_OTHER_CHARS
    ? "consists of common words, or of characters in order"
    : null;
}

/** Length of the shortest text whose repetition is the secret. */
function findPeriod(secret: string): number {
  for (let period = 1; period < secret.length; period++) {
    if (secret.startsWith(secret.slice(period))) return period;
  }
  return secret.length;
}

/** Counts letters and digits that belong to no common word and no run. */
function countOtherChars(secret: string): number {
  let rest = removeRuns(secret.toLowerCase());
  for (const word of COMMON_WORDS) rest = rest.replaceAll(word, " ");
  return rest.replaceAll(/[^\p{L}\p{N}]/gu, "").length;
}

/** Replaces runs of equal, alphabetical or neighbouring characters by a space. */
function removeRuns(text: string): string {
  let result = "";
  for (let start = 0; start < text.length; ) {
    const end = findRunEnd(text, start);
    result += end - start >= RUN_CHARS ? " " : text.slice(start, end);
    start = end;
  }
  return result;
}

function findRunEnd(text: string, start: number): number {
  let end = start + 1;
  const step = stepBetween(text, start);
  while (step !== null && end < text.length && stepBetween(text, end - 1) === step) end += 1;
  return end;
}

/** Step from a character to the next: none, one ahead or one back in the alphabet or on the keyboard. Null: another. */
function stepBetween(text: string, at: number): string | null {
  const [one = "", next = ""] = [text[at], text[at + 1]];
  if (next === "") return null;
  const byCode = next.charCodeAt(0) - one.charCodeAt(0);
  if (Math.abs(byCode) <= 1) return `code ${byCode}`;
  const [from, to] = [KEYBOARD.indexOf(one), KEYBOARD.indexOf(next)];
  return from !== -1 && to !== -1 && Math.abs(to - from) === 1 ? `keyboard ${to - from}` : null;
}

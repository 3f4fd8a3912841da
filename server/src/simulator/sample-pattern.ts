// Creates a short text that matches a regular expression of literals, classes, groups, alternatives and repetitions.
// Lookarounds and back-references are skipped.

const MAX_REPEATS = 200;
const MAX_CHARACTERS = 1_000;
const MAX_NESTING = 20;

const classes = new Map([
  ["d", "0"],
  ["w", "a"],
  ["s", " "],
  ["D", "a"],
  ["W", " "],
  ["S", "a"],
  ["t", "\t"],
  ["n", "\n"],
  ["r", "\r"],
]);
const assertions = new Set(["b", "B"]);
/** Candidates for a class that excludes characters. */
const usualCharacters = ["a", "0", "A", "_", " ", "-", "."];

interface Reader {
  pattern: string;
  at: number;
  depth: number;
}

/** Returns the text, which may not match a pattern with an unsupported part. */
export function samplePattern(pattern: string): string {
  return readAlternatives({ pattern, at: 0, depth: 0 }).slice(0, MAX_CHARACTERS);
}

/** Reads to the closing bracket or the end, and returns the text of the first alternative. */
function readAlternatives(reader: Reader): string {
  let first: string | null = null;
  let text = "";
  while (reader.at < reader.pattern.length && reader.pattern[reader.at] !== ")") {
    if (reader.pattern[reader.at] === "|") {
      first ??= text;
      text = "";
      reader.at++;
      continue;
    }
    const atom = readAtom(reader);
    text += atom.repeat(readRepeats(reader));
    if (text.length > MAX_CHARACTERS) text = text.slice(0, MAX_CHARACTERS);
  }
  return first ?? text;
}

function readAtom(reader: Reader): string {
  const character = reader.pattern[reader.at++] ?? "";
  switch (character) {
    case "^":
    case "$":
      return "";
    case ".":
      return "a";
    case "\\":
      return readEscape(reader);
    case "[":
      return readClass(reader);
    case "(":
      return readGroup(reader);
    default:
      return character;
  }
}

function readGroup(reader: Reader): string {
  const opening = /^\?(?:<[=!]|[:=!]|<[^>]*>)/.exec(reader.pattern.slice(reader.at))?.[0] ?? "";
  reader.at += opening.length;
  if (++reader.depth > MAX_NESTING) reader.at = reader.pattern.length;
  const text = readAlternatives(reader);
  reader.depth--;
  reader.at++;
  return /[=!]$/.test(opening) ? "" : text;
}

function readEscape(reader: Reader): string {
  const character = reader.pattern[reader.at++] ?? "";
  if (assertions.has(character)) return "";
  const code = /^(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2}))/.exec(
    reader.pattern.slice(reader.at - 1),
  );
  if (code !== null) {
    reader.at += code[0].length - 1;
    return characterOf(Number.parseInt(code[1] ?? code[2] ?? code[3] ?? "61", 16));
  }
  if (/^[pP]\{/.test(reader.pattern.slice(reader.at - 1))) {
    reader.at = reader.pattern.indexOf("}", reader.at) + 1 || reader.pattern.length;
    return "a";
  }
  return classes.get(character) ?? character;
}

function characterOf(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : "a";
}

/** Character of `[...]`: the first one, or for `[^...]` one that is not excluded. */
function readClass(reader: Reader): string {
  const isExcluding = reader.pattern[reader.at] === "^";
  if (isExcluding) reader.at++;
  const from = reader.at;
  let first: string | null = null;
  while (reader.at < reader.pattern.length && reader.pattern[reader.at] !== "]") {
    const character = reader.pattern[reader.at++] ?? "";
    const text = character === "\\" ? readEscape(reader) : character;
    first ??= text;
  }
  const source = reader.pattern.slice(from, reader.at);
  reader.at++;
  return isExcluding ? findOutside(source) : (first ?? "");
}

function findOutside(source: string): string {
  try {
    const excluded = new RegExp(`[${source}]`, "u");
    return usualCharacters.find((character) => !excluded.test(character)) ?? "~";
  } catch {
    return "~";
  }
}

/** Minimum number of repetitions of a quantifier. 1 without a quantifier. */
function readRepeats(reader: Reader): number {
  const rest = reader.pattern.slice(reader.at, reader.at + 16);
  const found = /^(?:[*?+]|\{(\d+)(?:,\d*)?\})\??/.exec(rest);
  if (found === null) return 1;
  reader.at += found[0].length;
  if (found[1] !== undefined) return Math.min(Number(found[1]), MAX_REPEATS);
  return found[0].startsWith("+") ? 1 : 0;
}

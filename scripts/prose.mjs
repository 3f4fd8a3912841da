// Finds faults in the words of comments and documents. A fault is one line: `path:line: text`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listRepository } from "./repository-files.mjs";

const MOST_README_LINES = 40;
const MOST_WORDS_IN_COMMENTS = 25;
const MOST_WORDS_IN_DOCUMENTS = 20;
const SOURCE = /[.](ts|tsx|mjs|cjs)$/;
const DOCUMENT = /[.]md$/;
/** Past releases, and the files that name the words themselves. */
const EXEMPT =
  /^(CHANGELOG[.]md|server\/test\/releases\/.*|scripts\/(check-)?prose[.](test[.])?mjs)$/;
const UNFINISHED = /\b(TODO|FIXME|XXX|HACK)\b/;
const VAGUE_PERSON = /\b(nobody|somebody|whoever)\b/i;
const OPENING = /^(What|Who|Whoever|Whose|Of|By|Those|It|Nobody|Somebody|Where)\b/;

const rules = {
  "unfinished work": ({ files }) => findLines(files, UNFINISHED),
  [`README of a room over ${MOST_README_LINES} lines`]: ({ files }) =>
    files
      .filter(({ path }) => /^server\/src\/.*README[.]md$/.test(path))
      .filter(({ lines }) => lines.at(-1) === "" && lines.length - 1 > MOST_README_LINES)
      .map(({ path, lines }) => `${path}: ${lines.length - 1} lines`),
  "nobody, somebody, whoever": ({ files }) => findLines(files, VAGUE_PERSON),
  "sentence that begins without a noun": ({ sentences }) =>
    listSentences(sentences, ({ text }) => OPENING.test(text)),
  "semicolon in a sentence": ({ sentences }) =>
    listSentences(sentences, ({ text }) => text.includes("; ")),
  [`comment sentence over ${MOST_WORDS_IN_COMMENTS} words`]: ({ sentences }) =>
    listSentences(sentences, (each) => !each.isDocument && each.words > MOST_WORDS_IN_COMMENTS),
  [`document sentence over ${MOST_WORDS_IN_DOCUMENTS} words`]: ({ sentences }) =>
    listSentences(sentences, (each) => each.isDocument && each.words > MOST_WORDS_IN_DOCUMENTS),
};

/** Returns the number of files, and the faults by rule. */
export function findProseFaults(root) {
  const files = [...listRepository(root)]
    .filter((path) => (SOURCE.test(path) || DOCUMENT.test(path)) && !EXEMPT.test(path))
    .map((path) => ({ path, lines: readFileSync(join(root, path), "utf8").split("\n") }));
  const sentences = files.flatMap(readSentences);
  const faults = Object.entries(rules).map(([name, find]) => [name, find({ files, sentences })]);
  return { fileCount: files.length, faults: Object.fromEntries(faults) };
}

function findLines(files, pattern) {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) =>
      pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [],
    ),
  );
}

function listSentences(sentences, isFault) {
  return sentences.filter(isFault).map(({ path, line, text }) => `${path}:${line}: ${text}`);
}

function readSentences({ path, lines }) {
  const isDocument = DOCUMENT.test(path);
  const blocks = isDocument ? readParagraphs(lines) : readComments(lines);
  return blocks.flatMap(({ line, text }) =>
    splitSentences(text).map((sentence) => ({
      ...{ path, line, isDocument, text: sentence },
      words: sentence.split(/\s+/).filter((word) => /^[^`]*[\p{L}\p{N}][^`]*$/u.test(word)).length,
    })),
  );
}

/** Texts of comments, each with its first line number. Skips comments behind code. */
function readComments(lines) {
  return joinLines(
    lines,
    (line) => /^\s*(?:[/][/]|[/][*]{1,2}|[*](?![/]))\s?(.*)$/.exec(line)?.[1],
  );
}

/** Paragraphs and list items without code, tables and headings. */
function readParagraphs(lines) {
  let isCode = false;
  return joinLines(lines, (line) => {
    if (/^\s*```/.test(line)) {
      isCode = !isCode;
      return undefined;
    }
    return isCode || /^\s*([|#<]|$)/.test(line) ? undefined : line;
  });
}

/** Joins adjacent lines for which `readText` returns text. A list item begins a new block. */
function joinLines(lines, readText) {
  const blocks = [];
  let isOpen = false;
  for (const [index, line] of lines.entries()) {
    const text = readText(line)
      ?.replace(/[*][/]$/, "")
      .trim();
    const item = /^(?:[-*]|\d+[.])\s+(.*)$/.exec(text ?? "");
    if (isOpen && text && !item) blocks.at(-1).text += ` ${text}`;
    else if (text) blocks.push({ line: index + 1, text: item?.[1] ?? text });
    isOpen = Boolean(text);
  }
  return blocks;
}

function splitSentences(text) {
  return text
    .replaceAll(/`[^`]*`/g, "`code`")
    .replaceAll(/\]\([^)]*\)/g, "]")
    .split(/(?<=[.!?:])\s+(?=["'(`*_[]*\p{Lu}|`)/u)
    .filter((sentence) => sentence !== "");
}

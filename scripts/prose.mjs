// Finds faults in the words of comments, documents, screens and messages. A fault is one line: `path:line: text`.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { listRepository } from "./repository-files.mjs";

const MOST_README_LINES = 40;
const MOST_WORDS_IN_COMMENTS = 25;
const MOST_WORDS_IN_DOCUMENTS = 20;
const SOURCE = /[.](ts|tsx|mjs|cjs)$/;
const DOCUMENT = /[.]md$/;
/** Files whose texts a person reads on a screen, in a message or in the reference. */
const HAS_TEXTS = /^(bench|contract|console|scripts|server)[/](?!test[/])(?!.*[.](test|d)[.])/;
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
    listSentences(sentences, ({ kind, text }) => kind !== "text" && text.includes("; ")),
  [`comment sentence over ${MOST_WORDS_IN_COMMENTS} words`]: ({ sentences }) =>
    listSentences(
      sentences,
      ({ kind, words }) => kind === "comment" && words > MOST_WORDS_IN_COMMENTS,
    ),
  [`document sentence over ${MOST_WORDS_IN_DOCUMENTS} words`]: ({ sentences }) =>
    listSentences(
      sentences,
      ({ kind, words }) => kind === "document" && words > MOST_WORDS_IN_DOCUMENTS,
    ),
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
  if (DOCUMENT.test(path)) return readBlocks({ path, kind: "document" }, readParagraphs(lines));
  const comments = readBlocks({ path, kind: "comment" }, readComments(lines));
  if (!HAS_TEXTS.test(path)) return comments;
  return [...comments, ...readBlocks({ path, kind: "text" }, readTexts(path, lines.join("\n")))];
}

function readBlocks(source, blocks) {
  return blocks.flatMap(({ line, text }) =>
    splitSentences(text).map((sentence) => ({
      ...{ ...source, line, text: sentence },
      words: sentence.split(/\s+/).filter((word) => /^[^`]*[\p{L}\p{N}][^`]*$/u.test(word)).length,
    })),
  );
}

/** Strings and texts of elements that have three words or more. Questions may open with any word. */
function readTexts(path, source) {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest);
  const blocks = [];
  visit(file);
  return blocks;

  function visit(node) {
    const text = readText(node);
    if (text && /^\S+\s+\S+\s+\S/.test(text) && !text.endsWith("?")) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
      blocks.push({ line: line + 1, text });
    }
    ts.forEachChild(node, visit);
  }
}

/** Text that a syntax node holds, on one line, with a word for each value. Undefined: no text. */
function readText(node) {
  if (ts.isStringLiteralLike(node) || ts.isJsxText(node)) return joinParts([node]);
  if (!ts.isTemplateExpression(node)) return undefined;
  return joinParts([node.head, ...node.templateSpans.map((span) => span.literal)]);
}

function joinParts(parts) {
  const text = parts.map((part) => part.text).join("value");
  return text.replaceAll(/\s+/g, " ").trim();
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

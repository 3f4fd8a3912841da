import { lexer, type Token, type Tokens } from "marked";
import { type Block, type Inline, toPlainText } from "../src/kit/documents/blocks.ts";

// Reads Markdown into blocks. Parts that the console cannot draw, such as images and HTML, are errors of the build.

/** Maps the target of a link. Null: the text stands without a link. Throws for a broken target. */
export type MapLink = (target: string) => string | null;

/** Reads one document. Throws for a part without a form on the page. */
export function readMarkdown(text: string, mapLink: MapLink): Block[] {
  const taken = new Set<string>();
  return readBlocks(lexer(text), { mapLink, taken });
}

interface Reading {
  mapLink: MapLink;
  /** Anchors of the headings so far. */
  taken: Set<string>;
}

function readBlocks(tokens: readonly Token[], reading: Reading): Block[] {
  return tokens.flatMap((token) => readBlock(token, reading) ?? []);
}

function readBlock(token: Token, reading: Reading): Block | null {
  const { mapLink } = reading;
  switch (token.type) {
    case "space":
    case "hr":
    case "def":
      return null;
    case "heading": {
      const { depth, tokens } = token as Tokens.Heading;
      const content = readInlines(tokens, mapLink);
      const id = makeAnchor(toPlainText(content), reading.taken);
      return { kind: "heading", level: depth, id, content };
    }
    case "paragraph":
    case "text": {
      const { tokens, text } = token as Tokens.Paragraph | Tokens.Text;
      return { kind: "paragraph", content: tokens ? readInlines(tokens, mapLink) : [text] };
    }
    case "blockquote":
      return { kind: "quote", blocks: readBlocks((token as Tokens.Blockquote).tokens, reading) };
    case "list": {
      const { ordered, start, items } = token as Tokens.List;
      return {
        kind: "list",
        start: ordered ? Number(start) : null,
        items: items.map(({ tokens }) => readBlocks(tokens, reading)),
      };
    }
    case "table": {
      const { header, rows } = token as Tokens.Table;
      const read = ({ tokens }: Tokens.TableCell) => readInlines(tokens, mapLink);
      return { kind: "table", head: header.map(read), rows: rows.map((row) => row.map(read)) };
    }
    case "code": {
      const { lang = "", text } = token as Tokens.Code;
      return { kind: "code", language: lang, text };
    }
    case "html":
      if (/^<!--.*-->\s*$/s.test(token.raw)) return null;
      break;
  }
  throw new Error(`a page cannot show this part: ${token.raw.trim()}`);
}

function readInlines(tokens: readonly Token[], mapLink: MapLink): Inline[] {
  return joinTexts(tokens.flatMap((token) => readInline(token, mapLink)));
}

function readInline(token: Token, mapLink: MapLink): Inline[] {
  switch (token.type) {
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return tokens ? readInlines(tokens, mapLink) : [text.replaceAll(/\s*\n\s*/g, " ")];
    }
    case "escape":
      return [(token as Tokens.Escape).text];
    case "br":
      return [" "];
    case "codespan":
      return [{ kind: "code", text: (token as Tokens.Codespan).text }];
    case "strong":
    case "em": {
      const kind = token.type === "strong" ? "strong" : "emphasis";
      return [{ kind, content: readInlines(token.tokens ?? [], mapLink) }];
    }
    case "link": {
      const { href, tokens } = token as Tokens.Link;
      const content = readInlines(tokens, mapLink);
      const to = mapLink(href);
      return to === null ? content : [{ kind: "link", to, content }];
    }
  }
  throw new Error(`a page cannot show this part: ${token.raw.trim()}`);
}

/** Joins adjacent texts, because escapes and lines are tokens of their own. */
function joinTexts(inlines: readonly Inline[]): Inline[] {
  const joined: Inline[] = [];
  for (const inline of inlines) {
    const last = joined.at(-1);
    if (typeof inline === "string" && typeof last === "string")
      joined[joined.length - 1] = last + inline;
    else joined.push(inline);
  }
  return joined;
}

/** Anchor of a heading, in GitHub's format. A second heading with the same text gets a number. */
function makeAnchor(text: string, taken: Set<string>): string {
  const anchor = text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
  let unique = anchor;
  for (let number = 1; taken.has(unique); number += 1) unique = `${anchor}-${number}`;
  taken.add(unique);
  return unique;
}

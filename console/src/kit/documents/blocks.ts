// Documents as data: the build reads Markdown into these blocks, and blocks.tsx draws them. The console contains no
// Markdown reader and inserts no HTML.

export type Inline =
  | string
  | { kind: "code"; text: string }
  | { kind: "strong" | "emphasis"; content: Content }
  /** `to`: a whole address, or `#anchor`. */
  | { kind: "link"; to: string; content: Content };

export type Content = readonly Inline[];

export type Block =
  | { kind: "heading"; level: number; id: string; content: Content }
  | { kind: "paragraph"; content: Content }
  | { kind: "quote"; blocks: readonly Block[] }
  | { kind: "list"; start: number | null; items: readonly (readonly Block[])[] }
  | { kind: "table"; head: readonly Content[]; rows: readonly (readonly Content[])[] }
  | { kind: "code"; language: string; text: string };

/** Heading of a document, as its table of contents shows it. */
export interface Heading {
  id: string;
  level: number;
  text: string;
}

/** Text without its markup. */
export function toPlainText(content: Content): string {
  return content
    .map((inline) => {
      if (typeof inline === "string") return inline;
      return inline.kind === "code" ? inline.text : toPlainText(inline.content);
    })
    .join("");
}

/** Text with code between backticks, such as a description of the contract. */
export function readCodeSpans(text: string): Content {
  return text
    .split("`")
    .map((part, place): Inline => (place % 2 === 1 ? { kind: "code", text: part } : part))
    .filter((inline) => inline !== "");
}

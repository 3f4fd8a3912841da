import {
  chunkedBodies,
  NEXT_REQUEST,
  NEXT_RESPONSE,
  plainBodies,
  trickyFields,
  trickyRequestLines,
  trickyStatusLines,
  usualFields,
  usualRequestLines,
  usualStatusLines,
} from "./tricky-parts.ts";

type Random = () => number;

/** Bytes on one connection, one character each. */
export type ConnectionText = string;

export interface MessageKind {
  usualLines: readonly string[];
  trickyLines: readonly string[];
  /** Message that follows, so that a wrong end of the message before it is seen. */
  next: string;
}

export const requestKind: MessageKind = {
  usualLines: usualRequestLines,
  trickyLines: trickyRequestLines,
  next: NEXT_REQUEST,
};
export const responseKind: MessageKind = {
  usualLines: usualStatusLines,
  trickyLines: trickyStatusLines,
  next: NEXT_RESPONSE,
};

/** Bytes with a meaning in HTTP, which mutations insert more often than others. */
const SPECIAL_BYTES = '\r\n\r\n\r\n \t:;,="\\\0\x0b\x7f\x80\xff05aFx+-';
const SPECIAL = [...SPECIAL_BYTES, "\r\n", "\r\n", "\r\n", "5\r\nhello\r\n", "0\r\n\r\n"];
const MOST_MUTATIONS = 3;
/** Field whose head is read byte by byte. A kernel reads the other heads, and leaves doubtful ones to the same reader. */
const UNUSUAL_FIELD = "x_y: z";

/** Lists each tricky line, each tricky field alone, and each body, in an otherwise usual message. Each has two forms. */
export function listCorpus(kind: MessageKind): ConnectionText[] {
  const message = (fields: readonly string[], body: string, start?: string): string =>
    formatMessage(kind, { start: start ?? kind.usualLines[0] ?? "", fields, body });
  const corpus = [
    ...kind.usualLines.map((start) => message(["Content-Length: 5"], "hello", start)),
    ...[...kind.usualLines, ...kind.trickyLines].map((start) => message([], "", start)),
    ...trickyFields.flatMap((field) => [
      message([field], "hello"),
      message([field, "Content-Length: 5"], "hello"),
      message([field, "Transfer-Encoding: chunked"], "5\r\nhello\r\n0\r\n\r\n"),
      message(["Transfer-Encoding: chunked", field], "5\r\nhello\r\n0\r\n\r\n"),
    ]),
    ...chunkedBodies.map((body) => message(["Transfer-Encoding: chunked"], body)),
    ...plainBodies.map((body) => message(["Content-Length: 5"], body)),
  ];
  return [...corpus, ...corpus.map(addUnusualField)];
}

function addUnusualField(text: ConnectionText): ConnectionText {
  return text.replace("\r\nHost: a\r\n", (line) => `${line}${UNUSUAL_FIELD}\r\n`);
}

/** Lists all pairs of two tricky fields about framing. Every second one has the unusual field. */
export function listFramingPairs(kind: MessageKind): ConnectionText[] {
  const fields = trickyFields.filter((field) => /content.length|transfer.encoding/i.test(field));
  const start = kind.usualLines[0] ?? "";
  const body = "5\r\nhello\r\n0\r\n\r\n";
  const pairs = fields.flatMap((one) =>
    fields.map((other) => formatMessage(kind, { start, fields: [one, other], body })),
  );
  return pairs.map((pair, index) => (index % 2 === 0 ? pair : addUnusualField(pair)));
}

function formatMessage(
  kind: MessageKind,
  { start, fields, body }: { start: string; fields: readonly string[]; body: string },
): ConnectionText {
  return `${[start, "Host: a", ...fields].join("\r\n")}\r\n\r\n${body}${kind.next}`;
}

/** Returns a connection of one to three messages. About half of them are usual ones, and the others have mutations. */
export function makeConnection(kind: MessageKind, random: Random): ConnectionText {
  let text = "";
  const count = 1 + Math.floor(random() * 3);
  for (let i = 0; i < count; i++) text += makeMessage(kind, random);
  if (random() < 0.5) text += kind.next;
  if (random() < 0.5) return text;
  const mutations = 1 + Math.floor(random() * MOST_MUTATIONS);
  for (let i = 0; i < mutations; i++) text = mutate(text, random);
  return text;
}

function makeMessage(kind: MessageKind, random: Random): string {
  const isTricky = random() < 0.15;
  const start = pick(isTricky && random() < 0.3 ? kind.trickyLines : kind.usualLines, random);
  const fields = kind === requestKind && random() < 0.97 ? ["Host: a"] : [];
  const count = Math.floor(random() * 6);
  for (let i = 0; i < count; i++) fields.push(pick(usualFields.slice(1), random));
  if (isTricky) fields.push(pick(trickyFields, random));
  const form = random();
  let body = "";
  if (form < 0.35) {
    body = random() < 0.7 ? makeChunks(random) : pick(chunkedBodies, random);
    fields.push("Transfer-Encoding: chunked");
  } else if (form < 0.75) {
    body = pick(plainBodies, random);
    fields.push(`Content-Length: ${random() < 0.9 ? body.length : Math.floor(random() * 12)}`);
  }
  if (random() < 0.5) fields.push(UNUSUAL_FIELD);
  return `${[start, ...shuffle(fields, random)].join("\r\n")}\r\n\r\n${body}`;
}

function makeChunks(random: Random): string {
  let body = "";
  const count = Math.floor(random() * 5);
  for (let i = 0; i < count; i++) {
    const size = 1 + Math.floor(random() ** 3 * 300);
    const text = random() < 0.5 ? size.toString(16) : size.toString(16).toUpperCase();
    const extension = random() < 0.1 ? ';a="b";c=d' : "";
    body += `${text}${extension}\r\n${"\r\n0\r\nabc".repeat(40).slice(0, size)}\r\n`;
  }
  return `${body}0\r\n${random() < 0.2 ? "x-sum: abc\r\n" : ""}\r\n`;
}

function mutate(text: string, random: Random): string {
  const at = Math.floor(random() * (text.length + 1));
  const special = pick(SPECIAL, random);
  switch (Math.floor(random() * 12)) {
    case 0:
      return text.slice(0, at) + special + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1);
    case 2:
      return text.slice(0, at) + special + text.slice(at + 1);
    case 3:
      return (
        text.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1)
      );
    case 4:
      return text.slice(0, at);
    case 5:
      return replaceNth(
        text,
        "\r\n",
        pick(["\n", "\r", "\r\r\n", "\n\r", "\r\n ", "\r\n\t", ""], random),
        random,
      );
    case 6:
      return replaceNth(text, "\r\n", `\r\n${pick(trickyFields, random)}\r\n`, random);
    case 7:
      return replaceNth(
        text,
        ": ",
        pick([":", " : ", ":\t", ":  ", "\t:", ":\r\n ", "", "::"], random),
        random,
      );
    case 8:
      return replaceNth(text, /[a-z]/gi, special, random);
    case 9:
      return replaceNth(text, /\d+/g, String(Math.floor(random() * 40)), random);
    case 10: {
      const end = Math.min(text.length, at + Math.floor(random() * 40));
      return text.slice(0, end) + text.slice(at);
    }
    default: {
      const lines = text.split("\r\n");
      return shuffle(lines, random).join("\r\n");
    }
  }
}

/** Returns a usual begin of a message, and then bytes without an order. */
export function makeNoise(kind: MessageKind, random: Random): ConnectionText {
  const message = makeMessage(kind, random);
  const begin = message.slice(0, Math.floor(random() * (message.length + 1)));
  const headEnd = message.indexOf("\r\n\r\n") + 4;
  let text = random() < 0.4 ? message.slice(0, headEnd) : begin;
  const count = Math.floor(random() * 200);
  for (let i = 0; i < count; i++) {
    const isSpecial = random() < 0.8;
    text += isSpecial ? pick(SPECIAL, random) : String.fromCharCode(Math.floor(random() * 256));
  }
  return text;
}

/** Replaces one occurrence, chosen at random. */
function replaceNth(text: string, part: string | RegExp, by: string, random: Random): string {
  const pattern = typeof part === "string" ? new RegExp(part, "g") : part;
  const found = [...text.matchAll(pattern)];
  const match = found[Math.floor(random() * found.length)];
  if (match === undefined) return text;
  return text.slice(0, match.index) + by + text.slice(match.index + match[0].length);
}

/**
 * Returns the bytes in pieces, as a connection may deliver them: at once, in two, in some, or one by one.
 */
export function splitAtRandom(text: ConnectionText, random: Random): Buffer[] {
  const bytes = Buffer.from(text, "latin1");
  const form = random();
  if (form < 0.5 || bytes.length === 0) return [bytes];
  const step = form < 0.75 ? bytes.length : form < 0.97 ? 40 : 1;
  const pieces: Buffer[] = [];
  let start = 0;
  while (start < bytes.length) {
    const end = Math.min(bytes.length, start + 1 + Math.floor(random() * step));
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return pieces;
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)] as T;
}

function shuffle<T>(items: readonly T[], random: Random): T[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
  }
  return shuffled;
}

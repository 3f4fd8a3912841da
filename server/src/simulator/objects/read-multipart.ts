import type { IncomingMessage } from "node:http";
import { SimulatedError } from "../simulated-error.ts";

// Reads a `multipart/form-data` body (RFC 7578) part by part, with a memory of one chunk. Busboy names `text/plain` where a part
// has no type, and skips parts without a name. Other libraries keep a part in memory, or the whole form.

export interface Part {
  name: string;
  /** As the client sent it. Null: the part is no file. */
  filename: string | null;
  contentType: string | null;
  /** Content of the part. The reader must finish it before the next part. */
  body: AsyncIterable<Buffer>;
}

const MAX_HEAD_BYTES = 16 * 1024;
const MAX_PARTS = 1_000;
const HEAD_END = Buffer.from("\r\n\r\n");

/** The parts of a request that hold its form. */
export type FormSource = Pick<IncomingMessage, "headers" | "iterator">;

/** Parts of a body in order. Throws SimulatedError: 400 for another type or a damaged body, 413 beyond `maxBytes`. */
export async function* readParts(
  request: FormSource,
  maxBytes: number,
): AsyncGenerator<Part, void, undefined> {
  const boundary = readBoundary(request.headers["content-type"] ?? "");
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  const reader = new BoundedReader(request, maxBytes);
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  reader.unread(Buffer.from("\r\n"));
  for await (const _ of reader.readUntil(delimiter)); // The text before the first part has no meaning.
  for (let count = 0; !(await isLast(reader)); count++) {
    if (count >= MAX_PARTS) throw refuse("The form has too many parts.");
    const head = await readAll(reader.readUntil(HEAD_END), MAX_HEAD_BYTES);
    const part = toPart(head.toString("utf8"), reader.readUntil(delimiter));
    yield part;
    for await (const _ of part.body); // The rest, if the caller left some.
  }
}

/** Reads a part as text. Throws SimulatedError(400) beyond `maxBytes`. */
export async function readAll(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw refuse("A part of the form is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

async function isLast(reader: BoundedReader): Promise<boolean> {
  const end = await reader.take(2);
  if (end.toString("latin1") === "--") {
    await reader.drain();
    return true;
  }
  if (end.toString("latin1") === "\r\n") return false;
  throw refuse("The form is damaged.");
}

function toPart(head: string, body: AsyncIterable<Buffer>): Part {
  const lines = head.split("\r\n");
  const disposition = findField(lines, "content-disposition") ?? "";
  const name = findParameter(disposition, "name");
  if (name === null) throw refuse("A part of the form has no name.");
  return {
    name,
    filename: findParameter(disposition, "filename"),
    contentType: findField(lines, "content-type"),
    body,
  };
}

function findField(lines: readonly string[], name: string): string | null {
  const line = lines.find((each) => each.toLowerCase().startsWith(`${name}:`));
  return line === undefined ? null : line.slice(name.length + 1).trim();
}

/** Finds a parameter of a part's head. Clients escape quotes as `%22` or `\"`. */
function findParameter(disposition: string, name: string): string | null {
  const quoted = new RegExp(`;\\s*${name}="((?:[^"\\\\]|\\\\.)*)"`, "i").exec(disposition)?.[1];
  if (quoted !== undefined) return quoted.replace(/\\(.)/g, "$1").replaceAll("%22", '"');
  return new RegExp(`;\\s*${name}=([^;\\s]+)`, "i").exec(disposition)?.[1] ?? null;
}

function readBoundary(contentType: string): string {
  const [type = ""] = contentType.split(";");
  const [, quoted, plain] =
    /;\s*boundary=(?:"([^"]{1,70})"|([^;\s]{1,70}))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (type.trim().toLowerCase() === "multipart/form-data" && boundary !== undefined)
    return boundary;
  throw refuse("Content-Type: expected multipart/form-data with a boundary");
}

/** Bytes of a request, read on demand. */
class BoundedReader {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #maxBytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  #bytes = 0;

  constructor(request: FormSource, maxBytes: number) {
    // An error keeps the connection, for the response.
    this.#chunks = request.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
  }

  unread(bytes: Buffer): void {
    this.#buffer = Buffer.concat([bytes, this.#buffer]);
  }

  /** Bytes before `delimiter`, which is consumed. */
  async *readUntil(delimiter: Buffer): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const at = this.#buffer.indexOf(delimiter);
      if (at !== -1) {
        const last = this.#buffer.subarray(0, at);
        this.#buffer = this.#buffer.subarray(at + delimiter.length);
        if (last.length > 0) yield last;
        return;
      }
      // The last bytes may be the beginning of the delimiter.
      const safe = this.#buffer.length - delimiter.length + 1;
      if (safe > 0) {
        const ready = this.#buffer.subarray(0, safe);
        this.#buffer = this.#buffer.subarray(safe);
        yield ready;
      }
      if (!(await this.#fill())) throw refuse("The form ends too early.");
    }
  }

  async take(count: number): Promise<Buffer> {
    while (this.#buffer.length < count) {
      if (!(await this.#fill())) throw refuse("The form ends too early.");
    }
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }

  async drain(): Promise<void> {
    do this.#buffer = Buffer.alloc(0);
    while (await this.#fill());
  }

  async #fill(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    if (done) return false;
    this.#bytes += value.length;
    if (this.#bytes > this.#maxBytes) throw tooLarge();
    this.#buffer = this.#buffer.length === 0 ? value : Buffer.concat([this.#buffer, value]);
    return true;
  }
}

function tooLarge(): SimulatedError {
  return new SimulatedError(413, "Request exceeds the maximum size");
}

function refuse(message: string): SimulatedError {
  return new SimulatedError(400, message);
}

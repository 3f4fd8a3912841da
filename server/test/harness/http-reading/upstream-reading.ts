import { UpstreamCall } from "#src/http1/upstream-call.ts";
import { type ConnectionOwner, UpstreamConnection } from "#src/http1/upstream-connection.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import type { HttpCallHandler } from "#src/lib/http-client.ts";
import { MemorySocket } from "./memory-socket.ts";
import { readOwnResponses } from "./own-reading.ts";

type Method = "GET" | "HEAD";
/** Calls of a handler, as texts, in their order. The data of a body is one of them. */
type Reports = string[];

const owner: ConnectionOwner = {
  onIdle() {},
  onCallEnd() {},
  onClose() {},
  headersDeadline: () => Number.POSITIVE_INFINITY,
  bodyDeadline: () => Number.POSITIVE_INFINITY,
};

/**
 * Compares the reports of a connection of the upstream client with the readers alone. Returns the difference, or null.
 * The connection gets the response to one request, and then ends.
 */
export function compareUpstreamConnection(
  pieces: readonly Buffer[],
  method: string,
): string | null {
  const known = method === "HEAD" ? "HEAD" : "GET";
  const reports = JSON.stringify(readWithUpstreamConnection(pieces, known));
  const expected = JSON.stringify(reportOwnResponse(pieces, known));
  return reports === expected ? null : `the connection reports ${reports} and not ${expected}`;
}

/** Overwrites each piece after it was read, as the client's buffer is. Throws for wrong framing. */
function readWithUpstreamConnection(pieces: readonly Buffer[], method: Method): Reports {
  const reports: Reports = [];
  let body = "";
  const handler: HttpCallHandler = {
    onRequestStart() {},
    onRequestSent() {},
    onResponseStart(_call, status, fields) {
      reports.push(`${status} ${JSON.stringify(fields.toList())}`);
    },
    onResponseData(_call, data, framed) {
      body += data.toString("latin1");
      if (framed !== undefined) checkFraming(framed, data);
    },
    onResponseEnd() {
      reports.push(`body ${body}`, "end");
    },
    onResponseError(_call, error) {
      reports.push(`body ${body}`, toFailure(error));
    },
  };
  const request = {
    method,
    path: "/",
    headers: new FieldLines(),
    body: null,
    headersTimeoutMs: null,
  };
  const socket = new MemorySocket();
  const connection = new UpstreamConnection(owner);
  connection.attach(socket);
  connection.start(new UpstreamCall(request, handler, { head: "", headersTimeoutMs: 1 }));
  for (const piece of pieces) {
    const shared = Buffer.from(piece);
    if (!connection.isClosed) connection.onRead(shared);
    shared.fill("!");
  }
  socket.emit("end");
  return reports;
}

function reportOwnResponse(pieces: readonly Buffer[], method: Method): Reports {
  const { messages, ending } = readOwnResponses(pieces, [method]);
  const heads = messages.map(({ start, fields }) => `${start} ${JSON.stringify(fields)}`);
  const last = messages.at(-1);
  const isFinal = last !== undefined && Number(last.start) >= 200;
  const body = `body ${isFinal ? last.body : ""}`;
  if (isFinal && last.isComplete) return [...heads, body, "end"];
  return [...heads, body, ending === "partial" ? "UND_ERR_SOCKET" : "HPE_INVALID_RESPONSE"];
}

function toFailure(error: Error): string {
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "string" ? code : error.message;
}

/** Checks that chunks in their shortest form have exactly this data. */
function checkFraming(framed: Buffer, data: Buffer): void {
  const text = framed.toString("latin1");
  let decoded = "";
  let pos = 0;
  while (pos < text.length) {
    const [line = "", size = ""] =
      /^([1-9a-f][0-9a-f]*)\r\n/i.exec(text.slice(pos, pos + 12)) ?? [];
    const start = pos + line.length;
    const end = start + Number.parseInt(size, 16);
    if (line === "" || text.slice(end, end + 2) !== "\r\n") throw new Error(`framing of ${text}`);
    decoded += text.slice(start, end);
    pos = end + 2;
  }
  if (decoded !== data.toString("latin1")) throw new Error(`data of ${text}`);
}

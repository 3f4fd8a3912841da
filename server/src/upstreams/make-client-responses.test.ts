import { describe, expect, test } from "vitest";
import {
  type CallRecord,
  type RawUpstream,
  rawResponse,
  recordCall,
  startRawUpstream,
} from "#test/harness/raw-upstream.ts";
import { openClient, upstreamClients } from "#test/harness/upstream-clients.ts";

// Responses of upstreams, whole and broken ones, as both clients read them.

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Checks the rules of every call: one start at most, and exactly one end. */
function checkRules(record: CallRecord, upstream: RawUpstream): void {
  expect(record.starts).toBeLessThanOrEqual(1);
  expect(record.ends + record.errors.length).toBe(1);
  expect(upstream.received.length).toBeLessThanOrEqual(1);
}

const chunked = (...parts: string[]) =>
  `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("")}`;

/** Bytes of the upstream, whether FIN follows, and the outcome. */
interface Answer {
  bytes: string;
  ending?: "FIN" | "RST";
  status?: number;
  body?: string;
  isWhole: boolean;
}

const answers: Record<string, Answer> = {
  "a body with a length": { bytes: rawResponse("hello"), body: "hello", isWhole: true },
  "an empty body": { bytes: rawResponse(""), body: "", isWhole: true },
  "a chunked body": { bytes: `${chunked("hel", "lo")}0\r\n\r\n`, body: "hello", isWhole: true },
  "chunk extensions and trailers": {
    bytes:
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a="b"\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n',
    body: "hello",
    isWhole: true,
  },
  "a body until the end of the connection": {
    bytes: "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nhello",
    ending: "FIN",
    body: "hello",
    isWhole: true,
  },
  "a 204 without a body": { bytes: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, isWhole: true },
  "fifty informational responses": {
    bytes: `${"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(50)}${rawResponse("hello")}`,
    body: "hello",
    isWhole: true,
  },
  "two responses": {
    bytes: rawResponse("first") + rawResponse("second"),
    body: "first",
    isWhole: true,
  },
  "more bytes than declared": {
    bytes: `${rawResponse("hello")}world`,
    body: "hello",
    isWhole: true,
  },
  "no response, and FIN": { bytes: "", ending: "FIN", isWhole: false },
  "no response, and RST": { bytes: "", ending: "RST", isWhole: false },
  "a part of the head, and FIN": {
    bytes: "HTTP/1.1 200 OK\r\ncontent-",
    ending: "FIN",
    isWhole: false,
  },
  "a part of the head, and RST": {
    bytes: "HTTP/1.1 200 OK\r\ncontent-",
    ending: "RST",
    isWhole: false,
  },
  "a part of a body with a length, and FIN": {
    bytes: "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello",
    ending: "FIN",
    body: "hello",
    isWhole: false,
  },
  "a part of a body with a length that closes, and FIN": {
    bytes: "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 50\r\n\r\nhello",
    ending: "FIN",
    body: "hello",
    isWhole: false,
  },
  "a part of a chunk, and FIN": {
    bytes: `${chunked("hello")}30\r\nwor`,
    ending: "FIN",
    body: "hellowor",
    isWhole: false,
  },
  "chunks without the last one, and FIN": {
    bytes: chunked("hello"),
    ending: "FIN",
    body: "hello",
    isWhole: false,
  },
  "a wrong size of a chunk": {
    bytes: `${chunked("hello")}xyz\r\n`,
    body: "hello",
    isWhole: false,
  },
  "a chunk that is longer than its size": {
    bytes: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n",
    body: "hel",
    isWhole: false,
  },
  "bytes of another protocol": { bytes: "SSH-2.0-OpenSSH_9.9\r\n", isWhole: false },
  "an endless line": { bytes: `HTTP/1.1 200 OK\r\nx: ${"y".repeat(40_000)}`, isWhole: false },
  "a head that is too large": {
    bytes: `HTTP/1.1 200 OK\r\n${`x: ${"y".repeat(1_000)}\r\n`.repeat(40)}\r\n`,
    isWhole: false,
  },
  "a length beside a transfer coding": {
    bytes:
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    isWhole: false,
  },
  "two different lengths": {
    bytes: "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
    isWhole: false,
  },
  "a 100 that was not requested": {
    bytes: `HTTP/1.1 100 Continue\r\n\r\n${rawResponse("hello")}`,
    isWhole: false,
  },
  "an upgrade that was not requested": {
    bytes: "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    isWhole: false,
  },
};

describe.each(upstreamClients)("the client over %s", (_, mode) => {
  describe.each(Object.entries(answers))(
    "reads %s",
    (_, { bytes, ending, status, body, isWhole }) => {
      test.each(["at once", "in pieces of few bytes"])("%s", async (split) => {
        const upstream = await startRawUpstream(async ({ socket }) => {
          const size = split === "at once" ? bytes.length : Math.ceil(bytes.length / 300) + 2;
          for (let at = 0; at < bytes.length; at += size) {
            socket.write(bytes.slice(at, at + size), "latin1");
            if (split !== "at once") await new Promise(setImmediate);
          }
          if (ending === "FIN") socket.end();
          if (ending === "RST") {
            await wait(10);
            socket.resetAndDestroy();
          }
        });
        const record = await recordCall(openClient(upstream.origin, { turnEnd: mode }));
        checkRules(record, upstream);
        expect(record.starts).toBe(1);
        expect(record.ends).toBe(isWhole ? 1 : 0);
        if (isWhole || body !== undefined) {
          expect(record.statuses.at(-1)).toBe(status ?? 200);
          expect(record.body).toBe(body ?? "");
        }
      });
    },
  );
});

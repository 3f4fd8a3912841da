import { describe, expect, test } from "vitest";
import { readRequestHead, readResponseHead } from "./read-head.ts";

const request = [
  "POST /v1/messages?beta=true HTTP/1.1",
  "Host: localhost:8484",
  "content-type: application/json",
  "X-Api-Key:  secret ",
  "Content-Length: 12",
].join("\r\n");

describe("the head of a request", () => {
  test("has names in lower case, trimmed values and the length of the body", () => {
    const bytes = Buffer.from(`xx${request}\r\n\r\n{"model":""}`);
    const read = readRequestHead(bytes, 2);
    if (read.kind !== "head") throw new Error(read.kind);
    expect(read.length).toBe(request.length + 4);
    const { fields, ...rest } = read.head;
    expect(rest).toEqual({
      method: "POST",
      target: "/v1/messages?beta=true",
      framing: { kind: "length", bytes: 12 },
      isKeptAlive: true,
    });
    expect(fields.toList()).toEqual([
      ...["host", "localhost:8484", "content-type", "application/json"],
      ...["x-api-key", "secret", "content-length", "12"],
    ]);
  });

  test("has the same fields in any form of its lines", () => {
    const forms = ["a: b\r\nc: \r\nd: e f\r\n", "A:b\r\nc:\r\nD:   e f  \r\n"];
    const lists = forms.map((form) => {
      const read = readRequestHead(Buffer.from(`GET / HTTP/1.1\r\n${form}host: x\r\n\r\n`), 0);
      return read.kind === "head"
        ? [read.head.fields.linesOf(0, 4), read.head.fields.toList()]
        : [];
    });
    expect(lists[0]).toEqual([
      "a: b\r\nc: \r\nd: e f\r\nhost: x\r\n",
      ["a", "b", "c", "", "d", "e f", "host", "x"],
    ]);
    expect(lists[1]).toEqual(lists[0]);
  });

  test("is partial at each of its prefixes", () => {
    const bytes = Buffer.from(`${request}\r\n\r\n`);
    for (let length = 0; length < bytes.length; length++) {
      expect(readRequestHead(bytes.subarray(0, length), 0)).toEqual({ kind: "partial" });
    }
  });

  test.each([
    ["upgrade", `${request}\r\nUpgrade: websocket\r\n\r\n`],
    ["expect", `${request}\r\nExpect: 100-continue\r\n\r\n`],
    ["host", `${request}\r\nhost: other\r\n\r\n`],
    ["host", "GET / HTTP/1.1\r\naccept: */*\r\n\r\n"],
    ["two lengths", `${request}\r\ncontent-length: 12\r\n\r\n`],
    ["transfer coding", `${request}\r\ntransfer-encoding: gzip, chunked\r\n\r\n`],
    ["length and transfer coding", `${request}\r\ntransfer-encoding: chunked\r\n\r\n`],
    ["fields", `${request}\r\n folded: line\r\n\r\n`],
    ["fields", `${request}\nx: after a bare line feed\r\n\r\n`],
    ["fields", `${request}\r\nname : value\r\n\r\n`],
    ["fields", `${request}\r\nx: ${"x".repeat(16_384)}\r\n\r\n`],
    ["version", "GET / HTTP/1.0\r\nhost: a\r\n\r\n"],
    ["target", "GET http://a/ HTTP/1.1\r\nhost: a\r\n\r\n"],
    ["method", "\x16\x03\x01 a greeting of TLS"],
  ])("is other for an unusual %s", (reason, text) => {
    expect(readRequestHead(Buffer.from(text), 0)).toEqual({ kind: "other", reason });
  });
});

describe("the head of a response", () => {
  test.each([
    ["a length", "HTTP/1.1 200 OK\r\ncontent-length: 5", { kind: "length", bytes: 5 }, true],
    ["chunks", "HTTP/1.1 200\r\ntransfer-encoding: chunked", { kind: "chunked" }, true],
    ["neither", "HTTP/1.1 200 OK\r\na: b", { kind: "untilClose" }, false],
    ["close", "HTTP/1.1 500 No\r\nconnection: close\r\ncontent-length: 0", { kind: "none" }, false],
    ["an interim status", "HTTP/1.1 103 Early Hints\r\nlink: </a>", { kind: "none" }, true],
    ["status 204", "HTTP/1.1 204 No Content\r\na: b", { kind: "none" }, true],
    ["version 1.0", "HTTP/1.0 200 OK\r\ncontent-length: 5", { kind: "length", bytes: 5 }, false],
  ])("has the framing of a response with %s", (_name, text, framing, isKeptAlive) => {
    const read = readResponseHead(Buffer.from(`${text}\r\n\r\n`), 0, "POST");
    expect(read).toMatchObject({ kind: "head", length: text.length + 4 });
    expect(read).toMatchObject({ head: { framing, isKeptAlive } });
  });

  test("has no body if the request was HEAD", () => {
    const bytes = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
    expect(readResponseHead(bytes, 0, "HEAD")).toMatchObject({
      head: { framing: { kind: "none" } },
    });
  });

  test.each(["HTTP/2.0 200 OK", "HTTP/1.1 99 Low", "HTTP/1.1 101 Switching", "ICE/1.1 200 OK"])(
    "is other for %s",
    (line) => {
      expect(readResponseHead(Buffer.from(`${line}\r\na: b\r\n\r\n`), 0, "GET").kind).toBe("other");
    },
  );
});

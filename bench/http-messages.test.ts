import { describe, expect, test } from "vitest";
import { MessageReader } from "./http-messages.ts";

interface Read {
  startLine: string;
  keepsConnection: boolean;
  body: string;
  isEnded: boolean;
}

function readAll(pieces: readonly string[]): Read[] {
  const messages: Read[] = [];
  const reader = new MessageReader({
    onHead: (head) => messages.push({ ...head, body: "", isEnded: false }),
    onBody: (piece) => {
      const last = messages.at(-1);
      if (last) last.body += piece.toString("latin1");
    },
    onEnd: () => {
      const last = messages.at(-1);
      if (last) last.isEnded = true;
    },
  });
  for (const piece of pieces) reader.read(Buffer.from(piece, "latin1"));
  return messages;
}

const wire = [
  "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello\r\n\r\nyo",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
  "5\r\nhello\r\n1a\r\nabcdefghijklmnopqrstuvwx\r\n\r\n0\r\n\r\n",
  "GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n",
].join("");

const expected: Read[] = [
  {
    startLine: "HTTP/1.1 200 OK",
    keepsConnection: true,
    body: "hello\r\n\r\nyo",
    isEnded: true,
  },
  {
    startLine: "HTTP/1.1 200 OK",
    keepsConnection: false,
    body: "helloabcdefghijklmnopqrstuvwx\r\n",
    isEnded: true,
  },
  { startLine: "GET /v1/models HTTP/1.1", keepsConnection: true, body: "", isEnded: true },
];

describe("message reader", () => {
  test("reads several messages from one piece", () => {
    expect(readAll([wire])).toEqual(expected);
  });

  test("reads the same from pieces cut at any byte", () => {
    for (let at = 1; at < wire.length; at++) {
      expect(readAll([wire.slice(0, at), wire.slice(at)])).toEqual(expected);
    }
    expect(readAll([...wire])).toEqual(expected);
  });

  test("does not end a message without its last bytes", () => {
    const [message] = readAll(["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n"]);
    expect(message?.isEnded).toBe(false);
  });

  test("refuses invalid framing", () => {
    const head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    expect(() => readAll([`${head}zz\r\n`])).toThrow("not a chunk size: zz");
    expect(() => readAll([`${head}2\r\nokay\r\n`])).toThrow("longer than its size");
  });
});

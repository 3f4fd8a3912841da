import { expect, test } from "vitest";
import { ChunkedReader } from "./chunked-reader.ts";

const body = '5\r\nhello\r\n0a;name="quoted \\" text";x=1\r\n, 12345678\r\n0\r\nx-sum: abc\r\n\r\n';

/** Reads pieces one after another. Returns the data, and the last result counted from the start of the first piece. */
function readPieces(pieces: readonly Buffer[]): { data: string; result: number } {
  const reader = new ChunkedReader();
  let data = "";
  let offset = 0;
  for (const piece of pieces) {
    const result = reader.read(piece, 0, (from, to) => {
      data += piece.toString("latin1", from, to);
    });
    if (result !== -1) return { data, result: result === -2 ? -2 : offset + result };
    offset += piece.length;
  }
  return { data, result: -1 };
}

test("reads the data and finds the end of the body at every split", () => {
  const bytes = Buffer.from(`${body}GET / HTTP/1.1`);
  for (let split = 0; split <= bytes.length; split++) {
    const read = readPieces([bytes.subarray(0, split), bytes.subarray(split)]);
    expect(read).toEqual({ data: "hello, 12345678", result: body.length });
  }
});

test("reads the data from pieces of one byte", () => {
  const pieces = [...Buffer.from(body)].map((byte) => Buffer.from([byte]));
  expect(readPieces(pieces)).toEqual({ data: "hello, 12345678", result: body.length });
});

test.each([
  ["a sign", "+5\r\nhello\r\n0\r\n\r\n"],
  ["a prefix", "0x5\r\nhello\r\n0\r\n\r\n"],
  ["a space", "5 \r\nhello\r\n0\r\n\r\n"],
  ["a bare line feed", "5\nhello\r\n0\r\n\r\n"],
  ["too many digits", "12345678123456781\r\nhello\r\n0\r\n\r\n"],
  ["a chunk that is longer than its size", "4\r\nhello\r\n0\r\n\r\n"],
  ["an endless extension", `5;${"x".repeat(16_385)}`],
  ["endless trailers", `0\r\n${"name: value\r\n".repeat(2_000)}`],
  ["a length among the trailers", "0\r\nContent-Length: 5\r\n\r\n"],
  ["a folded trailer", "0\r\na: b\r\n c\r\n\r\n"],
])("is invalid with %s, and stays invalid", (_name, text) => {
  const reader = new ChunkedReader();
  const ignore = (): void => {};
  expect(reader.read(Buffer.from(text), 0, ignore)).toBe(-2);
  expect(reader.read(Buffer.from("0\r\n\r\n"), 0, ignore)).toBe(-2);
});

test("is at a boundary exactly between two chunks", () => {
  const reader = new ChunkedReader();
  const boundaries = [...Buffer.from("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n")].flatMap(
    (byte, index) => {
      const isBefore = reader.isAtChunkBoundary;
      reader.read(Buffer.from([byte]), 0, () => {});
      return isBefore ? [index] : [];
    },
  );
  expect(boundaries).toEqual([0, 10, 16]);
  expect(reader.isAtChunkBoundary).toBe(false);
});

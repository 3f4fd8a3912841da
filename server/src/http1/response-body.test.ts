import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BodyRead, ResponseBodyReader } from "./response-body.ts";

/** Chunk of a response, with an extension or leading zeros. */
interface Chunk {
  data: string;
  form: "shortest" | "zero" | "extension";
}

const chunk = fc.record({
  data: fc.string({ minLength: 1, maxLength: 300 }),
  form: fc.constantFrom<Chunk["form"]>("shortest", "shortest", "shortest", "zero", "extension"),
});
const trailers = fc.constantFrom("", "", "x-a: 1\r\n");

function encode({ data, form }: Chunk): string {
  const size = Buffer.byteLength(data).toString(16);
  const line = { shortest: size, zero: `0${size}`, extension: `${size};a=1` }[form];
  return `${line}\r\n${data}\r\n`;
}

interface Collected {
  data: string;
  /** The body as a relay sends it: framed data as it came, other data in chunks of its own. */
  relayed: string;
  framedBytes: number;
  last: BodyRead;
}

function readPieces(framing: "chunked" | "untilClose" | number, pieces: readonly Buffer[]) {
  const reader = new ResponseBodyReader();
  reader.begin(
    typeof framing === "number" ? { kind: "length", bytes: framing } : { kind: framing },
  );
  const result: Collected = { data: "", relayed: "", framedBytes: 0, last: "more" };
  for (const piece of pieces) {
    // A copy, because reading may move bytes.
    result.last = reader.read(Buffer.from(piece), (data, framed) => {
      result.data += data.toString("latin1");
      result.relayed +=
        framed?.toString("latin1") ??
        `${data.length.toString(16)}\r\n${data.toString("latin1")}\r\n`;
      result.framedBytes += framed?.length ?? 0;
    });
    if (result.last !== "more") break;
  }
  return result;
}

/** Splits bytes at these positions. */
function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  const ends = [...places.filter((place) => place > 0 && place < bytes.length), bytes.length];
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

describe("a chunked body", () => {
  test("is the same for each split, and what a relay sends decodes to the same data", () => {
    void fc.assert(
      fc.property(
        fc.array(chunk, { maxLength: 12 }),
        trailers,
        fc.array(fc.nat(4_000), { maxLength: 12 }),
        (chunks, trailer, cuts) => {
          const bytes = Buffer.from(`${chunks.map(encode).join("")}0\r\n${trailer}\r\n`);
          const expected = Buffer.from(chunks.map(({ data }) => data).join("")).toString("latin1");
          const read = readPieces("chunked", split(bytes, cuts));
          expect(read.data).toBe(expected);
          expect(read.last).not.toBe("more");
          expect(read.last).not.toBe("invalid");
          expect(read.relayed).not.toContain(";a=1\r\n");
          const again = Buffer.from(`${read.relayed}0\r\n\r\n`, "latin1");
          const relayed = readPieces("chunked", [again]);
          expect(relayed.data).toBe(expected);
          expect(relayed.framedBytes).toBe(read.relayed.length);
        },
      ),
    );
  });

  test("is passed on with its framing when it arrives in whole chunks", () => {
    const chunks = ["event: ping\n\n", "x".repeat(5_000), "y"].map((data) =>
      Buffer.from(encode({ data, form: "shortest" })),
    );
    const last = Buffer.from("0\r\n\r\n");
    for (const pieces of [
      [...chunks, last],
      [Buffer.concat(chunks), last],
      [Buffer.concat([...chunks, last])],
    ]) {
      const read = readPieces("chunked", pieces);
      expect(read.relayed).toBe(Buffer.concat(chunks).toString());
      expect(read.framedBytes).toBe(read.relayed.length);
    }
  });

  test.each<[string, string]>([
    ["an extension", "5;a=1\r\nhello\r\n"],
    ["a leading zero", "05\r\nhello\r\n"],
    ["a part of the next chunk", "5\r\nhello\r\n3"],
    ["a part of its end", "5\r\nhello\r"],
    ["trailers", "5\r\nhello\r\n0\r\nx: 1\r\n\r\n"],
    ["invalid bytes", "5\r\nhello\r\nxyz"],
  ])("is passed on without framing if the bytes have %s", (_, text) => {
    expect(readPieces("chunked", [Buffer.from(text)])).toMatchObject({
      data: "hello",
      framedBytes: 0,
    });
  });
});

test("a body with a length ends with it, for each split", () => {
  void fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 200 }),
      fc.string({ maxLength: 20 }),
      fc.array(fc.nat(300), { maxLength: 5 }),
      (body, extra, cuts) => {
        const bytes = Buffer.from(body);
        const pieces = split(bytes, cuts);
        pieces.push(Buffer.concat([pieces.pop() ?? Buffer.alloc(0), Buffer.from(extra)]));
        const read = readPieces(bytes.length, pieces);
        expect(read.data).toBe(bytes.toString("latin1"));
        expect(read.last).toBe((pieces.at(-1)?.length ?? 0) - Buffer.byteLength(extra));
      },
    ),
  );
});

test("a body until the end of the connection has all bytes", () => {
  const pieces = [Buffer.from("0\r\n\r\n"), Buffer.from("hello")];
  expect(readPieces("untilClose", pieces)).toMatchObject({ data: "0\r\n\r\nhello", last: "more" });
});

import { expect, test } from "vitest";
import {
  type Comparison,
  type ConnectionCase,
  compareRequestReaders,
  compareResponseReaders,
} from "#test/harness/http-reading/differential.ts";
import {
  listCorpus,
  listFramingPairs,
  type MessageKind,
  makeConnection,
  makeNoise,
  requestKind,
  responseKind,
  splitAtRandom,
} from "#test/harness/http-reading/message-cases.ts";
import { readOwnRequests, readOwnResponses } from "#test/harness/http-reading/own-reading.ts";
import { seededRandom } from "#test/harness/seeded-random.ts";

// The readers of this room read the same bytes as node:http and undici. The accepted differences and their reasons are in
// compare-readings.ts. `npm run soak -- http` runs a million cases.

const CASES = 4_000;
const NOISE_CASES = 1_000;
const BOUND_BYTES = 16_384;

const sides = [
  ["requests", requestKind, compareRequestReaders, readOwnRequests],
  [
    "responses",
    responseKind,
    compareResponseReaders,
    (pieces: readonly Buffer[]) => readOwnResponses(pieces, ["GET", "GET", "GET"]),
  ],
] as const;

function toCase(text: string): ConnectionCase {
  return { pieces: [Buffer.from(text, "latin1")], methods: ["GET", "GET", "GET"] };
}

function makeCases(
  count: number,
  random: () => number,
  make: (random: () => number) => string,
): ConnectionCase[] {
  return Array.from({ length: count }, () => {
    const pieces = splitAtRandom(make(random), random);
    return { pieces, methods: random() < 0.1 ? ["HEAD"] : ["GET", "GET", "GET"] };
  });
}

/** Expects no disagreement, and that at least a share of the messages was read. */
function expectAgreement(comparison: Comparison, leastMessages: number): void {
  expect(comparison.disagreements).toEqual([]);
  expect(comparison.messages).toBeGreaterThan(leastMessages);
}

test.for(sides)("agrees on tricky %s", async ([_name, kind, compare]) => {
  expectAgreement(await compare(listCorpus(kind).map(toCase)), 200);
});

test.for(sides)("agrees on pairs of framing fields of %s", async ([_name, kind, compare]) => {
  expectAgreement(await compare(listFramingPairs(kind).map(toCase)), 20);
});

test.for(sides)("agrees on connections of random %s in pieces", async ([_name, kind, compare]) => {
  const cases = makeCases(CASES, seededRandom(1), (random) => makeConnection(kind, random));
  expectAgreement(await compare(cases), CASES / 2);
});

test.for(sides)("agrees on noise after the start of %s", async ([_name, kind, compare]) => {
  const cases = makeCases(NOISE_CASES, seededRandom(2), (random) => makeNoise(kind, random));
  expectAgreement(await compare(cases), NOISE_CASES / 10);
});

test.for(sides)("reads the same from every split of %s", ([_name, kind, _compare, read]) => {
  for (const text of listCorpus(kind)) {
    const bytes = Buffer.from(text, "latin1");
    const whole = read([bytes]);
    for (let split = 1; split < bytes.length; split++) {
      const reading = read([bytes.subarray(0, split), bytes.subarray(split)]);
      if (!isSame(reading, whole))
        expect({ text, split, reading }).toEqual({ text, split, reading: whole });
    }
    expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(whole);
  }
});

test.for(sides)("agrees on sizes of %s around each bound", async ([_name, kind, compare]) => {
  expectAgreement(await compare(listLongMessages(kind).map(toCase)), 400);
});

/** Messages in which one part has a size near its bound. */
function listLongMessages(kind: MessageKind): string[] {
  const start = kind.usualLines[0] ?? "";
  const fill = (size: number, character = "x"): string => character.repeat(Math.max(0, size));
  const head = (field: string): string =>
    `${start}\r\nHost: a\r\n${field}\r\nContent-Length: 0\r\n\r\n`;
  const chunked = (body: string): string =>
    `${start}\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}${kind.next}`;
  const near = Array.from({ length: 120 }, (_, index) => BOUND_BYTES - 100 + index);
  const small = Array.from({ length: 40 }, (_, index) => BOUND_BYTES - 20 + index);
  return [
    ...near.map((size) => head(`x: ${fill(size - head("x: ").length)}`) + kind.next),
    ...near.map((size) => head(`${fill(size - head("x: a").length)}: a`) + kind.next),
    ...near.map((size) => head(`x:${fill(size - head("x:a").length, " ")}a`) + kind.next),
    ...near.map((size) => head(`x: a${fill(size - head("x: a").length, " ")}`) + kind.next),
    ...near.map((size) => head("x: a").replace(" ", ` /${fill(size - 60)} `) + kind.next),
    ...[498, 499, 500, 501, 999, 1_000, 1_001].map((count) =>
      head("a: b\r\n".repeat(count - 1).concat("a: b")),
    ),
    ...small.map((size) => chunked(`5;${fill(size)}\r\nhello\r\n0\r\n\r\n`)),
    ...small.map((size) => chunked(`5;a=${fill(size - 1)}\r\nhello\r\n0\r\n\r\n`)),
    ...small.map((size) => chunked(`5;a="${fill(size - 3)}"\r\nhello\r\n0\r\n\r\n`)),
    ...small.map((size) => chunked(`5;a;${fill(size - 1)}\r\nhello\r\n0;${fill(9_000)}\r\n\r\n`)),
    ...small.map((size) => chunked(`0\r\nx: ${fill(size - 1)}\r\n\r\n`)),
    ...small.map((size) => chunked(`0\r\nx:  ${fill(size - 3)}\t \r\n\r\n`)),
    ...small.map((size) =>
      chunked(`0\r\n${"x: 2345\r\n".repeat(900)}x: ${fill(size - 4_501)}\r\n\r\n`),
    ),
    ...[999, 1_000, 1_001, 1_002].map((count) => chunked(`0\r\n${"a: b\r\n".repeat(count)}\r\n`)),
    ...small.map((size) => chunked(`${fill(size, "0")}5\r\nhello\r\n0\r\n\r\n`)),
  ];
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

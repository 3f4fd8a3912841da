import { afterAll, beforeAll, describe } from "vitest";
import { DEFAULT_READER, type HttpReader, setReader } from "./gateway.ts";

const readers: readonly HttpReader[] = ["sockets", "node"];

/** Defines tests that run with each reader of HTTP (`BURSAR_HTTP`) on both sides of the gateway. */
export function describeEachReader(define: () => void): void {
  describe.each(readers)("over %s", (reader) => {
    beforeAll(() => setReader(reader));
    afterAll(() => setReader(DEFAULT_READER));
    define();
  });
}

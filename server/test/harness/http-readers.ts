import { afterAll, beforeAll, describe } from "vitest";
import { DEFAULT_READER, type HttpReader, setReader } from "./gateway.ts";

const readers: readonly HttpReader[] = ["sockets", "node"];

/**
 * Defines tests that run with each reader of HTTP on both sides of the gateway. A test that starts a server passes the
 * reader on as `BURSAR_HTTP`.
 */
export function describeEachReader(define: (reader: HttpReader) => void): void {
  describe.each(readers)("over %s", (reader) => {
    beforeAll(() => setReader(reader));
    afterAll(() => setReader(DEFAULT_READER));
    define(reader);
  });
}

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { MAX_REQUEST_BYTES, RequestSplitter } from "./split-requests.ts";

function split(body: Buffer | string, size = 7): { requests: unknown[]; count: number } {
  const bytes = Buffer.from(body);
  const requests: unknown[] = [];
  const splitter = new RequestSplitter((request, index) => {
    expect(index).toBe(requests.length);
    requests.push(JSON.parse(request.toString("utf8")));
  });
  for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
  return { requests, count: splitter.end() };
}

test("returns each request of a body, whatever its chunks", () => {
  const request = fc.record({ custom_id: fc.string(), params: fc.jsonValue() });
  fc.assert(
    fc.property(
      fc.array(request, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(undefined, 1, 2),
      (requests, size, indent) => {
        const body = JSON.stringify({ requests }, null, indent);
        expect(split(body, size)).toEqual({
          requests: JSON.parse(JSON.stringify(requests)),
          count: requests.length,
        });
      },
    ),
  );
});

describe("refuses a body", () => {
  test.for([
    ["that is empty", ""],
    ["that is an array", '[{"custom_id":"a"}]'],
    ["without requests", "{}"],
    ["with an empty list", '{"requests":[]}'],
    ["with requests that are no list", '{"requests":{"a":{}}}'],
    ["with a request that is no object", '{"requests":[{},1]}'],
    ["with a list as a request", '{"requests":[[{}]]}'],
    ["with requests twice", '{"requests":[{}],"requests":[{}]}'],
    ["with another field", '{"requests":[{}],"model":"a"}'],
    ["with requests in another field", '{"other":[{}],"requests":[{}]}'],
    ["with a missing comma", '{"requests":[{} {}]}'],
    ["with a comma too many", '{"requests":[{},]}'],
    ["that breaks off in a request", '{"requests":[{"a":1'],
    ["that breaks off after a request", '{"requests":[{"a":1}'],
    ["with text after its end", '{"requests":[{}]}{}'],
    ["with a bracket of another kind", '{"requests":[{}}]'],
    ["with requests one level too deep", '{"requests":[[{"custom_id":"a"}]]}'],
  ])("%s", ([, body = ""]) => {
    for (const size of [1, 3, 100]) expect(() => split(body, size)).toThrow(ApiError);
  });

  test("with a request of more than 32 MB, before it is complete", () => {
    const splitter = new RequestSplitter(() => expect.unreachable("the request has no end"));
    splitter.push(Buffer.from('{"requests":[{"a":"'));
    const part = Buffer.alloc(1024 * 1024, "a");
    const parts = MAX_REQUEST_BYTES / part.length;
    for (let at = 0; at < parts - 1; at++) splitter.push(part);
    expect(() => splitter.push(part)).toThrow("at most 33554432 bytes");
  });
});

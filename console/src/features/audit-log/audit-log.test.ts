import { expect, test } from "vitest";
import { compareFields } from "./compare.ts";
import { readAuditSearch, toQuery } from "./search.ts";

test("finds requests, addresses and subjects with one field", () => {
  expect(toQuery({ find: "req_011CX" })).toEqual({ request_id: "req_011CX" });
  expect(toQuery({ find: " 10.0.0.7 " })).toEqual({ ip_address: "10.0.0.7" });
  expect(toQuery({ find: "::1" })).toEqual({ ip_address: "::1" });
  expect(toQuery({ find: "2001:db8::7" })).toEqual({ ip_address: "2001:db8::7" });
  expect(toQuery({ find: "apikey_01" })).toEqual({ subject_id: "apikey_01" });
  expect(toQuery({ find: "  " })).toEqual({});
});

test("reads days as whole days in UTC, including the last one", () => {
  expect(toQuery({ from: "2026-02-28", to: "2026-02-28" })).toEqual({
    starting_at: "2026-02-28T00:00:00.000Z",
    ending_at: "2026-03-01T00:00:00.000Z",
  });
});

test("ignores invalid values in the address", () => {
  expect(
    readAuditSearch({
      event: ["a"],
      actor: 7,
      from: "2026-99-99",
      to: "soon",
      find: "",
      other: "x",
    }),
  ).toEqual({});
});

test("lists changed fields first, and absent values as undefined", () => {
  expect(
    compareFields({ id: "a", name: "Old", gone: 1 }, { id: "a", name: "New", list: ["x"] }),
  ).toEqual([
    { name: "name", before: "Old", after: "New", isChanged: true },
    { name: "gone", before: "1", after: undefined, isChanged: true },
    { name: "list", before: undefined, after: '[\n "x"\n]', isChanged: true },
    { name: "id", before: "a", after: "a", isChanged: false },
  ]);
  expect(compareFields(null, { limit: null })).toEqual([
    { name: "limit", before: undefined, after: "none", isChanged: true },
  ]);
});

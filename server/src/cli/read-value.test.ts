import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Kind, readFields } from "./read-fields.ts";
import { readTime } from "./read-time.ts";
import { readJson, readValue } from "./read-value.ts";

const nowMs = Date.UTC(2026, 10, 20, 12);
const reading = { name: "--it", nowMs };
const read = (kind: Kind, ...written: string[]) => readValue(kind, written, reading);
const text: Kind = { type: "text" };

const folder = mkdtempSync(join(tmpdir(), "read-value-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a time", () => {
  test.each([
    ["2027-01-01", "2027-01-01T00:00:00Z"],
    ["now", "2026-11-20T12:00:00.000Z"],
    ["-7d", "2026-11-13T12:00:00.000Z"],
    ["+90d", "2027-02-18T12:00:00.000Z"],
    ["-30m", "2026-11-20T11:30:00.000Z"],
    ["-24h", "2026-11-19T12:00:00.000Z"],
    ["+2w", "2026-12-04T12:00:00.000Z"],
    // Unchanged, because the server validates it.
    ["2027-01-01T00:00:00+02:00", "2027-01-01T00:00:00+02:00"],
    ["soon", "soon"],
    ["7d", "7d"],
    ["-7y", "-7y"],
  ])("%s is %s", (written, expected) => {
    expect(readTime(written, nowMs)).toBe(expected);
  });

  test("rejects a time outside the calendar", () => {
    expect(() => readTime("+999999999w", nowMs)).toThrow("+999999999w is out of range.");
  });
});

describe("values", () => {
  const scope = readFields(
    z.object({
      scope: z.discriminatedUnion("type", [
        z.object({ type: z.literal("organization") }),
        z.object({ type: z.literal("api_key"), api_key_id: z.string() }),
      ]),
      roles: z.array(z.object({ workspace_id: z.string(), workspace_role: z.string() })),
    }),
  );
  const kindOf = (name: string) => scope.find((field) => field.name === name)?.kind ?? text;

  test.each([
    ["whole numbers", { type: "integer" }, ["-30"], -30],
    ["numbers", { type: "number" }, ["0.5"], 0.5],
    ["amounts stay text, exact", { type: "amount" }, ["100.000000001"], "100.000000001"],
    ["lists by commas", { type: "list", item: text }, ["a, b", "c"], ["a", "b", "c"]],
    ["lists as JSON", { type: "list", item: text }, ['["a,b"]'], ["a,b"]],
    ["maps", { type: "map" }, ["team=a=b", "x="], { team: "a=b", x: "" }],
    ["maps as JSON", { type: "map" }, ['{"old":null}'], { old: null }],
    ["JSON", { type: "json", schema: z.unknown() }, ["[1]"], [1]],
  ] as [string, Kind, string[], unknown][])("%s", (_, kind, written, expected) => {
    expect(read(kind, ...written)).toEqual(expected);
  });

  test("reads a union by its first word", () => {
    expect(read(kindOf("scope"), "organization")).toEqual({ type: "organization" });
    expect(read(kindOf("scope"), "api-key:apikey_1")).toEqual({
      type: "api_key",
      api_key_id: "apikey_1",
    });
    expect(() => read(kindOf("scope"), "galaxy:x")).toThrow(
      '--it: expected one of organization, api_key, not "galaxy".',
    );
    expect(() => read(kindOf("scope"), "api_key")).toThrow("--it: expected api_key_id");
  });

  test("splits an object's fields at colons, which its name may contain", () => {
    expect(read(kindOf("roles"), "A: the best:developer", '{"workspace_id":"w"}')).toEqual([
      { workspace_id: "A: the best", workspace_role: "developer" },
      { workspace_id: "w" },
    ]);
    expect(() => read(kindOf("roles"), "developer")).toThrow(
      '--it: expected workspace_id:workspace_role, not "developer".',
    );
  });

  test.each([
    ["integer", "1.5", "expected a whole number"],
    ["integer", "", "expected a whole number"],
    ["number", "1e3", "expected a number"],
    ["map", "team", "expected name=value"],
    ["json", "{", "invalid JSON"],
  ] as [Kind["type"], string, string][])("rejects %s %j", (type, written, words) => {
    expect(() => read({ type } as Kind, written)).toThrow(`--it: ${words}`);
  });
});

test("reads a body from a file", () => {
  const file = join(folder, "body.json");
  writeFileSync(file, '{"name":"Café"}');
  expect(readJson(`@${file}`, { name: "--data" })).toEqual({ name: "Café" });
  expect(() => readJson(`@${folder}/none`, { name: "--data" })).toThrow("cannot read");
});

test("reads a schema below its wrappers", () => {
  const fields = readFields(
    z.object({
      at: z.preprocess((value) => value, z.iso.datetime().optional()).optional(),
      usd: z.union([z.number(), z.string()]).nullable(),
      limit: z.coerce.number().int().default(20).meta({ description: "How many." }),
      yes: z.stringbool().optional(),
      credential: z.string().nullable().optional(),
      tags: z.record(z.string(), z.string()).optional(),
      rows: z.array(z.object({ deep: z.object({ a: z.string().optional() }) })),
    }),
  );
  const plain = fields.map(({ name, kind, isRequired, isNullable, fallback, description }) => [
    name,
    kind.type,
    isRequired,
    isNullable,
    fallback,
    description,
  ]);
  expect(plain).toEqual([
    ["at", "time", false, false, undefined, undefined],
    ["usd", "amount", true, true, undefined, undefined],
    ["limit", "integer", false, false, 20, "How many."],
    ["yes", "flag", false, false, undefined, undefined],
    ["credential", "secret", false, true, undefined, undefined],
    ["tags", "map", false, false, undefined, undefined],
    ["rows", "json", true, false, undefined, undefined],
  ]);
});

import { describe, expect, test } from "vitest";
import { z } from "zod";
import { makeSampleValue } from "./sample-value.ts";

const Tree: z.ZodType = z.object({
  name: z.string(),
  get children() {
    return z.array(Tree);
  },
});

const Chain: z.ZodType = z.object({
  get next() {
    return z.union([Chain, z.null()]);
  },
});

describe("a value from a JSON schema is valid", () => {
  test.each<[string, z.ZodType]>([
    ["text with a least length", z.string().min(40)],
    ["text with a highest length", z.string().max(3)],
    ["date and time", z.iso.datetime()],
    ["date", z.iso.date()],
    ["duration", z.iso.duration()],
    ["e-mail", z.email()],
    ["address of the network", z.union([z.ipv4(), z.ipv6()])],
    ["URL", z.url()],
    ["UUID", z.uuid()],
    ["pattern", z.string().regex(/^(?:[A-Z]{2,3}-)\d+\.(x|yz)?[^a0]+$/)],
    ["integer above a bound", z.int().gt(10)],
    ["integer below zero", z.int().lt(-3)],
    ["number between two bounds", z.number().gt(0).lt(1)],
    ["number of a step", z.number().multipleOf(5).min(12)],
    ["constant", z.literal("exactly")],
    ["choice", z.enum(["b", "a"])],
    ["value or null", z.int().min(4).nullable()],
    ["list with a least length", z.array(z.string()).min(3)],
    ["empty list", z.array(z.string()).max(0)],
    ["fixed list", z.tuple([z.string(), z.int()])],
    ["record", z.record(z.string(), z.int())],
    ["optional property", z.object({ a: z.int().optional(), b: z.boolean() })],
    [
      "variants by a type",
      z.discriminatedUnion("kind", [z.object({ kind: z.literal("x"), n: z.int() })]),
    ],
    ["both of two", z.intersection(z.object({ a: z.string() }), z.object({ b: z.int() }))],
    ["tree", Tree],
    ["chain", Chain],
  ])("%s", (_, schema) => {
    const value = makeSampleValue(z.toJSONSchema(schema), "input");
    expect(schema.safeParse(value)).toMatchObject({ success: true });
  });

  test("a required property without a schema", () => {
    expect(makeSampleValue({ type: "object", required: ["a"] }, "input")).toEqual({ a: "a" });
  });

  test("unique items of a list", () => {
    const items = { enum: ["x", "y", "z"] };
    expect(
      makeSampleValue({ type: "array", uniqueItems: true, minItems: 3, items }, "input"),
    ).toEqual(["x", "y", "z"]);
  });

  test.each([
    ["as the Vercel AI SDK writes them", "Tags of it. min items: 2."],
    ["as the Anthropic SDK writes them", "Tags of it.\n\n{minItems: 2}"],
  ])("bounds in a description, %s", (_, description) => {
    const schema = { type: "array", items: { type: "string" }, description };
    expect(makeSampleValue(schema, "tags")).toEqual(["sample tags", "sample tags 2"]);
  });
});

test("the same schema returns the same value", () => {
  const schema = z.toJSONSchema(z.object({ city: z.string(), days: z.int() }));
  expect(makeSampleValue(schema, "input")).toEqual({ city: "sample city", days: 1 });
  expect(makeSampleValue(schema, "input")).toEqual({ city: "sample city", days: 1 });
});

test.each([
  ["optional", undefined],
  ["required", ["a", "b", "c"]],
])("a recursive schema with three %s properties ends", (_, required) => {
  const itself = { $ref: "#" };
  const schema = { type: "object", properties: { a: itself, b: itself, c: itself }, required };
  expect(JSON.stringify(makeSampleValue(schema, "input")).length).toBeLessThan(100_000);
});

test("a schema that only refers to itself ends", () => {
  expect(makeSampleValue({ $ref: "#" }, "input")).toBe("input");
  expect(makeSampleValue({ allOf: [{ $ref: "#" }, { $ref: "#" }] }, "input")).toBe("sample input");
});

test.each([
  ["nested too deeply", `${"(".repeat(5_000)}a${")".repeat(5_000)}`],
  ["repeated very often", "((a{999}){999}){999}"],
  ["incomplete", "[a-"],
])("a pattern that is %s ends in a text of at most 10,000 characters", (_, pattern) => {
  const text = makeSampleValue({ type: "string", pattern }, "input");
  expect(String(text).length).toBeLessThanOrEqual(10_000);
});

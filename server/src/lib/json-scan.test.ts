import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KERNEL_WINDOW_BYTES } from "./json-kernel.ts";
import { DuplicateKeyError, JsonReader, JsonSyntaxError, MAX_JSON_DEPTH } from "./json-scan.ts";

const runs = { numRuns: 1_000 };

describe("validity", () => {
  test("accepts the text of any generated value, compact and indented", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(4), (text, indent) => {
        expect(isAccepted(Buffer.from(text))).toBe(true);
        expect(isAccepted(Buffer.from(JSON.stringify(JSON.parse(text), null, indent)))).toBe(true);
      }),
      runs,
    );
  });

  test("accepts a mutated text exactly if JSON.parse does", () => {
    const byte = fc.oneof(
      fc.constantFrom(...Buffer.from('{}[]":,\\/bfnrtu0123456789abcdefABCDEF+-.eE \n\r\t')),
      fc.nat(255),
    );
    fc.assert(
      fc.property(
        fc.json({ stringUnit: "binary" }),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom("set", "drop", "add"), byte), {
          minLength: 1,
          maxLength: 3,
        }),
        (text, edits) => {
          let bytes = Buffer.from(text);
          for (const [at, edit, value] of edits) bytes = mutate(bytes, at, edit, value);
          expect(isAccepted(bytes)).toBe(isAcceptedByJsonParse(bytes));
          expectSameWalk(bytes);
        },
      ),
      { numRuns: 8_000 },
    );
  });

  test("accepts a mutated long string exactly if JSON.parse does, at any memory alignment", () => {
    const part = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom('\\"', "\\u00e9", "\n", "é"),
    );
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 40 }),
        fc.nat(7),
        fc.nat(),
        fc.nat(255),
        (parts, lead, at, value) => {
          const text = Buffer.from(`"${parts.join("abcdefgh")}"`);
          const memory = Buffer.concat([Buffer.alloc(lead), text, Buffer.from('"')]);
          const bytes = memory.subarray(lead, lead + text.length);
          expect(isAccepted(bytes)).toBe(isAcceptedByJsonParse(bytes));
          bytes[at % bytes.length] = value;
          expect(isAccepted(bytes)).toBe(isAcceptedByJsonParse(bytes));
        },
      ),
      runs,
    );
  });

  test("accepts a mutated text at the end of a window exactly if JSON.parse does", () => {
    fc.assert(
      fc.property(
        fc.json({ stringUnit: "binary", maxDepth: 3 }),
        fc.constantFrom("set", "drop", "add"),
        fc.nat(),
        fc.nat(255),
        fc.nat(),
        (text, edit, at, value, before) => {
          const part = mutate(Buffer.from(text), at, edit, value);
          const inList = Buffer.concat([Buffer.from("[0,"), part, Buffer.from("]")]);
          const padding = KERNEL_WINDOW_BYTES - (before % (part.length + 8));
          const moved = Buffer.concat([
            Buffer.from(`["${"x".repeat(padding)}",`),
            part,
            inList.subarray(-1),
          ]);
          expect(isAccepted(moved)).toBe(isAcceptedByJsonParse(inList));
        },
      ),
      runs,
    );
  });

  test.each(['"\\u00e9\\n\\"é"', "true", "false", "null", "-12.5e+10", '{"key" : [1, {}]}', "[ ]"])(
    "accepts %s at each place near the end of a window",
    (text) => {
      for (let before = 0; before <= text.length + 1; before++) {
        const padding = "x".repeat(KERNEL_WINDOW_BYTES - before - 4);
        expect(isAccepted(Buffer.from(`["${padding}",${text},1]`))).toBe(true);
        expect(isAccepted(Buffer.from(`["${padding}",${text}`))).toBe(false);
        expectSameWalk(Buffer.from(`["${padding}",${text},{"a":"b"}]`));
      }
    },
  );

  test("accepts a number and a string that are longer than a window", () => {
    const digits = "7".repeat(2 * KERNEL_WINDOW_BYTES);
    for (const text of [digits, `[${digits}, 1]`, `["${digits}\\n", 1]`, `{"${digits}":1}`]) {
      expect(isAccepted(Buffer.from(text))).toBe(true);
      expect(isAccepted(Buffer.from(`${text},`))).toBe(false);
    }
  });

  test("two readers that take turns see their own text", () => {
    const one = new JsonReader(Buffer.from('{"first":"one","second":["a"],"third":"x"}'));
    const other = new JsonReader(Buffer.from('{"f":"two","s":[{"b":"c"}],"t":"longer text"}'));
    one.beginObject();
    other.beginObject();
    expect([one.nextKey(), other.nextKey()]).toEqual(["first", "f"]);
    expect([one.readString(), other.readString()]).toEqual(["one", "two"]);
    expect([one.nextKey(), other.nextKey()]).toEqual(["second", "s"]);
    expect(one.sliceValue().toString()).toBe('["a"]');
    expect(other.sliceValue().toString()).toBe('[{"b":"c"}]');
    expect([one.nextKey(), other.nextKey()]).toEqual(["third", "t"]);
    expect([one.readString(), other.readString()]).toEqual(["x", "longer text"]);
  });

  test("accepts the maximum nesting without recursion and rejects one more level", () => {
    for (const [open, inner, close] of [
      ["[", "", "]"],
      ['{"a":', "1", "}"],
    ] as const) {
      const nest = (depth: number) => Buffer.from(open.repeat(depth) + inner + close.repeat(depth));
      expect(isAccepted(nest(MAX_JSON_DEPTH))).toBe(true);
      expect(isAccepted(nest(MAX_JSON_DEPTH + 1))).toBe(false);
      expect(isAccepted(Buffer.from(open.repeat(1_000_000)))).toBe(false);
    }
  });

  test.each([
    ["", "unexpected end, expected a JSON value at byte 0"],
    ["\ufeff{}", "a byte order mark is not allowed at byte 0"],
    ["{}x", "unexpected data after the JSON value at byte 2"],
    ['{"a" 1}', 'expected ":" at byte 5'],
    ['{"a":1 "b":2}', 'expected "," or "}" at byte 7'],
    ["[1 2]", 'expected "," or "]" at byte 3'],
    ["[1,]", "expected a JSON value at byte 3"],
    ['{"a":1,}', "expected a key in double quotes at byte 7"],
    ["[1}", 'expected "," or "]" at byte 2'],
    ['"a\nb"', "a control character inside a string at byte 2"],
    ['"ab', "unexpected end inside a string at byte 3"],
    ['"\\x"', "an unknown escape at byte 2"],
    ['"\\u12g4"', "a broken \\u escape at byte 5"],
    ["tru", "unexpected end, expected true at byte 3"],
    ["NaN", "expected a JSON value at byte 0"],
    ["1.", "unexpected end, expected a JSON value at byte 2"],
  ])("rejects %j with the fault and its place", (text, message) => {
    expect(() => readAll(Buffer.from(text))).toThrow(
      new JsonSyntaxError(message.replace(/ at byte \d+$/, ""), Number(/\d+$/.exec(message)?.[0])),
    );
  });

  test("rejects invalid UTF-8 with the first offset", () => {
    const bytes = Buffer.concat([Buffer.from('"é€😀'), Buffer.from([0xc3]), Buffer.from('"')]);
    expect(() => new JsonReader(bytes)).toThrow("the text is not UTF-8 at byte 10");
    expect(() => new JsonReader(Buffer.from([0x22, 0xff, 0x22]))).toThrow("at byte 1");
    expect(() => new JsonReader(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toThrow("not UTF-8");
  });
});

describe("reading", () => {
  test("walking returns the keys and values of JSON.parse", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        const text = JSON.stringify(value);
        // The expected value is JSON.parse of the text, because -0 is written as 0.
        expect(readValue(new JsonReader(Buffer.from(text)))).toStrictEqual(JSON.parse(text));
      }),
      runs,
    );
  });

  test("a slice contains exactly the bytes of the value", () => {
    const reader = new JsonReader(Buffer.from('{ "a" : [1, {"b":"}"}] , "c": -1.5e3 }'));
    reader.beginObject();
    expect(reader.nextKey()).toBe("a");
    expect(reader.sliceValue().toString()).toBe('[1, {"b":"}"}]');
    expect(reader.nextKey()).toBe("c");
    expect(reader.kind()).toBe("number");
    expect(reader.sliceValue().toString()).toBe("-1.5e3");
    expect(reader.nextKey()).toBeNull();
    reader.end();
  });

  test("returns numbers as they are written", () => {
    for (const text of ["0", "-0", "1.0", "1e3", "12345678901234567890"]) {
      expect(new JsonReader(Buffer.from(text)).readNumberText()).toBe(text);
    }
  });

  test("rejects a duplicate key, also with different escapes", () => {
    for (const text of [
      '{"model":1,"model":2}',
      '{"model":1,"mod\\u0065l":2}',
      '{"\\u006dodel":1,"a":{},"model":2}',
    ]) {
      expect(() => readValue(new JsonReader(Buffer.from(text)))).toThrow(DuplicateKeyError);
    }
    const many = Array.from({ length: 100 }, (_, i) => `"key${i}":${i}`).join(",");
    expect(Object.keys(readValue(new JsonReader(Buffer.from(`{${many}}`))) as object)).toHaveLength(
      100,
    );
    expect(() => readValue(new JsonReader(Buffer.from(`{${many},"key7":0}`)))).toThrow(
      DuplicateKeyError,
    );
  });

  test("allows the same key in two objects and inside a skipped value", () => {
    expect(readValue(new JsonReader(Buffer.from('[{"a":1},{"a":{"a":2}}]')))).toEqual([
      { a: 1 },
      { a: { a: 2 } },
    ]);
    expect(isAccepted(Buffer.from('{"a":1,"a":2}'))).toBe(true);
  });

  test("rejects a key with half a surrogate pair when it is read", () => {
    expect(() => readValue(new JsonReader(Buffer.from('{"a\\ud800":1}')))).toThrow(
      "half a surrogate pair at byte 1",
    );
    expect(readValue(new JsonReader(Buffer.from('{"a\\ud83d\\ude00":1}')))).toEqual({ "a😀": 1 });
    expect(isAccepted(Buffer.from('{"a\\ud800":"\\ud800"}'))).toBe(true);
  });
});

function readAll(bytes: Buffer): void {
  const reader = new JsonReader(bytes);
  reader.skipValue();
  reader.end();
}

/** Compares a walk with JSON.parse. A walk rejects more: duplicate keys, and keys with half a surrogate pair. */
function expectSameWalk(bytes: Buffer): void {
  let value: unknown;
  try {
    const reader = new JsonReader(bytes);
    value = readValue(reader);
    reader.end();
  } catch (error) {
    if (error instanceof DuplicateKeyError) return;
    if (!(error instanceof JsonSyntaxError)) throw error;
    const isBadKey = error.message.startsWith("a key contains half a surrogate pair");
    if (!isBadKey) expect(isAcceptedByJsonParse(bytes)).toBe(false);
    return;
  }
  expect(value).toStrictEqual(JSON.parse(bytes.toString("utf8")));
}

function isAccepted(bytes: Buffer): boolean {
  try {
    readAll(bytes);
    return true;
  } catch (error) {
    if (error instanceof JsonSyntaxError) return false;
    throw error;
  }
}

function isAcceptedByJsonParse(bytes: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}

function mutate(bytes: Buffer, at: number, edit: string, value: number): Buffer<ArrayBuffer> {
  const place = at % (bytes.length + 1);
  const rest = bytes.subarray(edit === "add" ? place : place + 1);
  const middle = edit === "drop" ? Buffer.alloc(0) : Buffer.of(value);
  return Buffer.concat([bytes.subarray(0, place), middle, rest]);
}

/** The whole value, read by walking, like JSON.parse. */
function readValue(reader: JsonReader): unknown {
  switch (reader.kind()) {
    case "object": {
      const entries: [string, unknown][] = [];
      reader.beginObject();
      for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
        entries.push([key, readValue(reader)]);
      }
      return Object.fromEntries(entries);
    }
    case "array": {
      const items: unknown[] = [];
      reader.beginArray();
      while (reader.nextElement()) items.push(readValue(reader));
      return items;
    }
    case "string":
      return reader.readString();
    case "number":
      return Number(reader.readNumberText());
    case "boolean":
      return reader.readBoolean();
    default:
      reader.skipValue();
      return null;
  }
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { claudeRoutes } from "@bursar/contract/claude/routes.ts";
import { errorCodes } from "@bursar/contract/errors.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import { describe, expect, test } from "vitest";
import { countOperations, filterSections } from "../src/features/docs/filter-sections.ts";
import type { Field } from "../src/features/docs/reference.ts";
import { writeSamples } from "../src/features/docs/write-samples.ts";
import { toShape } from "./json-schema.ts";
import { readReference } from "./read-reference.ts";

/** Most operations whose sample needs more than the shape tells. */
const MAX_REFUSED = 4;

const file = join(import.meta.dirname, "commands.json");
const commands = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
const { list, details } = readReference(commands);
const entries = list.sections.flatMap(({ groups }) => groups.flatMap((group) => group.operations));
const operations = new Map(Object.entries(details.operations));
const get = (id: string) => {
  const found = operations.get(id);
  const entry = entries.find((each) => each.id === id);
  if (!found || !entry) throw new Error(`no operation ${id}`);
  return { found, entry };
};
const namesOf = (fields: readonly Field[] = []) => fields.map(({ name }) => name);

describe("the reference", () => {
  test("lists every operation of both APIs once, each with details", () => {
    const declared = [...adminRoutes, ...claudeRoutes].map(({ operationId }) => operationId);
    expect(entries.map(({ id }) => id).toSorted()).toEqual(declared.toSorted());
    expect([...operations.keys()].toSorted()).toEqual(declared.toSorted());
  });

  test("has no anchor twice", () => {
    const groups = list.sections.flatMap((section) => section.groups.map(({ id }) => id));
    const anchors = [...groups, ...entries.map(({ id }) => id), "error-codes"];
    expect(anchors.filter((anchor, place) => anchors.indexOf(anchor) !== place)).toEqual([]);
  });

  test("has rights, event, step-up and examples of an operation", () => {
    const { found, entry } = get("createApiKey");
    expect(entry).toMatchObject({ method: "POST", path: "/v1/admin/api_keys" });
    expect(found.needs).toMatch(/^Needs an admin key/);
    expect(found).toMatchObject({ caller: "key", event: "api_key.created" });
    expect(found.stepUp).toContain("passkey");
    expect(found.commands?.[0]).toMatch(/^api-keys create /);
  });

  test("has parameters, body and response with their descriptions", () => {
    const { found } = get("createApiKey");
    expect(namesOf(found.parameters)).toEqual(["idempotency-key"]);
    expect(found.body?.shape.fields).toEqual(
      expect.arrayContaining([
        { name: "name", type: "string", bounds: "1 to 100 characters", isRequired: true },
        expect.objectContaining({ name: "workspace_id", about: "Workspace id, `wksp_…`." }),
      ]),
    );
    const response = details.shapes[found.response.shape.shared ?? ""];
    expect(response?.fields?.find(({ name }) => name === "key")).toMatchObject({
      isShownOnce: true,
    });
    expect(get("getApiKey").found.parameters[0]).toMatchObject({ place: "path", isRequired: true });
  });

  test("has the statuses of an operation, and all error codes", () => {
    const statusesOf = (id: string) =>
      get(id).found.errors.map((place) => details.statuses[place]?.status);
    expect(statusesOf("createApiKey")).toEqual(expect.arrayContaining([400, 403, 409, 413]));
    expect(statusesOf("createMessage")).toEqual(expect.arrayContaining([429, 529]));
    expect(details.codes.map(({ code }) => code)).toEqual(Object.keys(errorCodes));
  });

  test("resolves each shared shape", () => {
    const names = [...JSON.stringify(details).matchAll(/"shared":"([^"]+)"/g)].map(
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(details.shapes).toHaveProperty([String(name)]);
  });

  test("uses code spans as its only markup in descriptions", () => {
    const texts = [...JSON.stringify(details).matchAll(/"(?:about|meaning)":"([^"]*)"/g)];
    const marked = texts.map(([, text = ""]) => text).filter((text) => /\]\(|\*\*/.test(text));
    expect(marked).toEqual([]);
  });
});

describe("the filter", () => {
  const find = (text: string) =>
    filterSections(list.sections, text).flatMap(({ groups }) =>
      groups.flatMap((group) => group.operations.map(({ id }) => id)),
    );

  test("finds operations by name, path, method and summary, with every word", () => {
    expect(find("rotateApiKey")).toEqual(["rotateApiKey"]);
    expect(find("rotate an api key")).toContain("rotateApiKey");
    expect(find("delete spend_limits")).toContain("deleteSpendLimit");
    expect(find("no such operation")).toEqual([]);
  });

  test("keeps everything without a text", () => {
    expect(countOperations(filterSections(list.sections, " "))).toBe(entries.length);
  });
});

describe("a shape", () => {
  test.each([
    [{ type: "array", items: { type: "string" } }, { type: "string[]" }],
    [{ anyOf: [{ type: "integer" }, { type: "null" }] }, { type: "integer | null" }],
    [{ anyOf: [{ type: "number" }, { type: "string" }] }, { type: "number | string" }],
    [
      { type: "string", enum: ["a", "b"] },
      { type: "string", values: ["a", "b"] },
    ],
    [
      { type: "boolean", const: false },
      { type: "boolean", values: ["false"] },
    ],
    [{ type: "object", additionalProperties: { type: "string" } }, { type: "map of string" }],
    [{ $ref: "#/components/schemas/ApiKey" }, { type: "ApiKey", shared: "ApiKey" }],
    [
      { type: "integer", minimum: 1, maximum: 9, default: 5 },
      { type: "integer", bounds: "1 to 9, default `5`" },
    ],
    [
      { type: "string", format: "date-time", pattern: "^x$" },
      { type: "string", bounds: "RFC 3339 time" },
    ],
    [
      { type: "string", pattern: "^[ -~]*$", maxLength: 9 },
      { type: "string", bounds: "at most 9 characters" },
    ],
    [
      { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      { type: "integer", bounds: "at least 0" },
    ],
  ])("of %j is %j", (schema, shape) => {
    expect(toShape(schema)).toEqual(shape);
  });

  test("of alternative objects has each as a variant", () => {
    const toObject = (kind: string) => ({ type: "object", properties: { kind: { const: kind } } });
    const { type, variants = [] } = toShape({ oneOf: [toObject("a"), toObject("b")] });
    expect(type).toBe("object");
    expect(variants.map(({ fields }) => fields?.[0]?.values)).toEqual([["a"], ["b"]]);
  });
});

describe("samples", () => {
  const write = (id: string) => {
    const { found, entry } = get(id);
    const options = { entry, details: found, shapes: details.shapes, baseUrl: "https://b.example" };
    return new Map(writeSamples(options).map(({ language, text }) => [language, text]));
  };

  test("call an operation with its required fields, in each language", () => {
    const samples = write("createApiKey");
    expect([...samples.keys()]).toEqual(["curl", "TypeScript", "Python", "Command"]);
    expect(samples.get("curl")).toBe(
      [
        "curl https://b.example/v1/admin/api_keys \\",
        '  -H "x-api-key: $ADMIN_KEY" \\',
        "  -H 'content-type: application/json' \\",
        "  -d '{",
        '  "name": "Research",',
        '  "workspace_id": "wksp_…"',
        "}'",
      ].join("\n"),
    );
    expect(samples.get("TypeScript")).toContain('method: "POST"');
    expect(samples.get("Python")).toContain('"workspace_id": "wksp_…",');
    expect(samples.get("Command")).toMatch(/^\.\/bursar api-keys create /);
  });

  test("fill in the path and delete", () => {
    expect(write("deleteSpendLimit").get("curl")).toBe(
      `curl -X DELETE 'https://b.example/v1/admin/spend_limits/spl_…' \\\n  -H "x-api-key: $ADMIN_KEY"`,
    );
  });

  test("use the key of a workspace for Claude", () => {
    expect(write("createMessage").get("curl")).toContain('"x-api-key: $API_KEY"');
    expect(write("createMessage").get("curl")).toContain('"content": "Hello, Claude"');
  });

  test("write constants of Python", () => {
    expect(write("updateSecuritySettings").get("Python")).not.toMatch(/: (true|false|null),/);
  });

  test("have only the command where only the operator calls, and nothing where only a session does", () => {
    expect([...write("listOwners").keys()]).toEqual(["Command"]);
    expect([...write("listSessions").keys()]).toEqual([]);
  });

  test("have a body that the contract accepts, except where fields depend on each other", () => {
    const refused = adminRoutes.flatMap((route) => {
      const body = "body" in route ? route.body : undefined;
      const sample = write(route.operationId).get("curl");
      const text = sample === undefined ? undefined : / -d '(.*)'$/s.exec(sample)?.[1];
      if (!body || text === undefined) return [];
      const { success } = body.safeParse(JSON.parse(text.replaceAll("'\\''", "'")));
      return success ? [] : [route.operationId];
    });
    expect(refused).toContain("signInWithPasskey");
    expect(refused.length).toBeLessThanOrEqual(MAX_REFUSED);
  });
});

import { readFileSync } from "node:fs";
import { telemetrySignals } from "@bursar/contract/telemetry-signals.ts";
import { describe, expect, test } from "vitest";
import { markJson } from "./mark-json.ts";
import { markProtobuf } from "./mark-protobuf.ts";
import { toPersonAttributes } from "./person-attributes.ts";

const person = {
  memberId: "user_1",
  email: "ada@example.com",
  organizationId: "org_1",
  laptopId: "laptop_1",
  groupNames: ["Writers", "Admins"],
};
const attributes = toPersonAttributes(person);
const added = [
  { key: "user.id", value: { stringValue: "user_1" } },
  {
    key: "user.groups",
    value: { arrayValue: { values: [{ stringValue: "Writers" }, { stringValue: "Admins" }] } },
  },
  { key: "organization.id", value: { stringValue: "org_1" } },
  { key: "bursar.laptop.id", value: { stringValue: "laptop_1" } },
  { key: "user.email", value: { stringValue: "ada@example.com" } },
];
const claimOf = (key: string) => ({ key, value: { stringValue: "someone" } });

interface Sample {
  protobuf: string;
  json: object;
}

/**
 * One message of each signal, made with the official package opentelemetry-proto 1.45.2. `claimed` has claims in every list of
 * attributes. `marked` has the person there, without the e-mail address.
 */
const samples: Record<(typeof telemetrySignals)[number], { claimed: Sample; marked: Sample }> =
  JSON.parse(readFileSync(new URL("otlp.golden.json", import.meta.url), "utf8"));

describe.each(telemetrySignals)("a message of %s with claims in all lists", (signal) => {
  const withoutEmail = toPersonAttributes({ ...person, email: null });
  const { claimed, marked } = samples[signal];

  test("has the person there in protobuf", () => {
    const body = Buffer.from(claimed.protobuf, "base64");
    const expected = Buffer.from(marked.protobuf, "base64");
    expect(markProtobuf(body, signal, withoutEmail).equals(expected)).toBe(true);
  });

  test("has the person there in JSON", () => {
    const body = Buffer.from(JSON.stringify(claimed.json));
    expect(JSON.parse(markJson(body, signal, withoutEmail).toString())).toEqual(marked.json);
  });
});

describe("a message in JSON", () => {
  const mark = (message: object) =>
    JSON.parse(markJson(Buffer.from(JSON.stringify(message)), "logs", attributes).toString());

  test("has the person in each resource, in place of claims", () => {
    const service = { key: "service.name", value: { stringValue: "claude-code" } };
    const resource = { attributes: [service, claimOf("user.email")] };
    expect(mark({ resourceLogs: [{ resource, schemaUrl: "u" }, {}] })).toEqual({
      resourceLogs: [
        { resource: { attributes: [service, ...added] }, schemaUrl: "u" },
        { resource: { attributes: added } },
      ],
    });
  });

  test("has it also with the names of protobuf, which receivers accept", () => {
    const log_records = [{ attributes: [claimOf("user.email")] }];
    const marked = mark({ resource_logs: [{ scope_logs: [{ scope: null, log_records }] }] });
    expect(marked).toEqual({
      resource_logs: [
        {
          resource: { attributes: added },
          scope_logs: [{ scope: null, log_records: [{ attributes: [added[4]] }] }],
        },
      ],
    });
  });

  test("is refused if its claims would grow it beyond a bound", () => {
    const claims = Array(200_000).fill({ key: "user.id" });
    const message = { resourceLogs: [{ scopeLogs: [{ scope: { attributes: claims } }] }] };
    expect(() => mark(message)).toThrow("too many claims");
  });

  test.each([
    ...["", "[]", "7", '{"resourceLogs":7}', '{"resourceLogs":[7]}', '{"resourceLogs":[[]]}'],
    '{"resourceLogs":[{"resource":7}]}',
    '{"resourceLogs":[{"scopeLogs":[7]}]}',
    '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":["user.id"]}]}]}]}',
  ])("is refused: %s", (text) => {
    expect(() => markJson(Buffer.from(text), "logs", attributes)).toThrow();
  });
});

describe("a message in protobuf", () => {
  const field = (number: number, content: Buffer | string) => {
    const bytes = Buffer.from(content);
    return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
  };
  const attribute = (key: string, value: string) =>
    field(1, Buffer.concat([field(1, key), field(2, field(1, value))]));
  const list = (...values: string[]) =>
    Buffer.concat(values.map((text) => field(1, field(1, text))));
  const marks = Buffer.concat([
    attribute("user.id", "user_1"),
    field(
      1,
      Buffer.concat([field(1, "user.groups"), field(2, field(5, list("Writers", "Admins")))]),
    ),
    attribute("organization.id", "org_1"),
    attribute("bursar.laptop.id", "laptop_1"),
    attribute("user.email", "ada@example.com"),
  ]);
  /** The same message with lengths of two bytes. */
  const long = (number: number, content: Buffer) => {
    const size = [(content.length % 128) + 128, Math.floor(content.length / 128)];
    return Buffer.concat([Buffer.from([number * 8 + 2, ...size]), content]);
  };
  const mark = (message: Buffer) => markProtobuf(message, "logs", attributes);

  test("has the person in each resource, in place of claims, and its other bytes", () => {
    const service = attribute("service.name", "claude-code");
    const dropped = Buffer.from([16, 3]);
    const scope = field(2, field(3, "schema"));
    const claims = Buffer.concat([attribute("user.id", "someone"), service, dropped]);
    const entry = Buffer.concat([scope, field(1, claims), field(3, "schema")]);
    const again = Buffer.concat([field(1, service), field(1, attribute("user.id", "someone"))]);
    const message = Buffer.concat([field(1, entry), field(1, again), field(1, scope)]);
    const resource = long(1, Buffer.concat([service, dropped, marks]));
    expect(mark(message)).toEqual(
      Buffer.concat([
        long(1, Buffer.concat([scope, resource, field(3, "schema")])),
        long(1, Buffer.concat([long(1, Buffer.concat([service, marks])), field(1, "")])),
        long(1, Buffer.concat([long(1, marks), scope])),
      ]),
    );
  });

  test("has the person in place of a claim with two keys", () => {
    const claim = Buffer.concat([field(1, "user.id"), field(1, "other"), field(2, "")]);
    const message = field(1, field(2, field(2, field(6, claim))));
    expect(mark(message).toString("latin1")).not.toContain("other");
  });

  test.each([[[10]], [[10, 5, 1]], [[255, 255]], [[11]], [[9, 1]]])("is refused: %j", (bytes) => {
    expect(() => mark(Buffer.from(bytes))).toThrow();
  });

  test("is refused if its claims would grow it beyond a bound", () => {
    expect(() => mark(Buffer.alloc(200_000, Buffer.from([10, 0])))).toThrow("too many claims");
  });

  test("is refused if a data point is cut off", () => {
    const cut = Buffer.from([18, 5, 1]);
    expect(() => mark(field(1, field(2, field(2, cut))))).toThrow();
  });
});

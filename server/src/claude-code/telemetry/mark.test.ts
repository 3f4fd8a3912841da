import { describe, expect, test } from "vitest";
import { markJson } from "./mark-json.ts";
import { markProtobuf } from "./mark-protobuf.ts";
import { toPersonAttributes } from "./person-attributes.ts";

const attributes = toPersonAttributes({
  memberId: "user_1",
  email: "ada@example.com",
  organizationId: "org_1",
  laptopId: "laptop_1",
  groupNames: ["Writers", "Admins"],
});
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

describe("a message in JSON", () => {
  test("has the person in each resource, in place of claims", () => {
    const service = { key: "service.name", value: { stringValue: "claude-code" } };
    const claim = { key: "user.email", value: { stringValue: "someone@example.com" } };
    const message = {
      resourceLogs: [{ resource: { attributes: [service, claim] }, scopeLogs: [7] }, {}],
    };
    const marked = JSON.parse(
      markJson(Buffer.from(JSON.stringify(message)), attributes).toString(),
    );
    expect(marked).toEqual({
      resourceLogs: [
        { resource: { attributes: [service, ...added] }, scopeLogs: [7] },
        { resource: { attributes: added } },
      ],
    });
  });

  test.each(["", "[]", "7", '{"resourceLogs":7}', '{"resourceLogs":[7]}'])(
    "is refused: %s",
    (text) => {
      expect(() => markJson(Buffer.from(text), attributes)).toThrow();
    },
  );
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
  const person = Buffer.concat([
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

  test("has the person in each resource, in place of claims, and its other bytes", () => {
    const service = attribute("service.name", "claude-code");
    const dropped = Buffer.from([16, 3]);
    const scope = field(2, Buffer.from([1, 2, 3]));
    const claims = Buffer.concat([attribute("user.id", "someone"), service, dropped]);
    const entry = Buffer.concat([scope, field(1, claims), field(3, "schema")]);
    const again = Buffer.concat([field(1, service), field(1, attribute("user.id", "someone"))]);
    const message = Buffer.concat([field(1, entry), field(1, again), field(1, scope)]);
    const resource = long(1, Buffer.concat([service, dropped, person]));
    expect(markProtobuf(message, attributes)).toEqual(
      Buffer.concat([
        long(1, Buffer.concat([scope, resource, field(3, "schema")])),
        long(1, Buffer.concat([long(1, Buffer.concat([service, person])), field(1, "")])),
        long(1, Buffer.concat([long(1, person), scope])),
      ]),
    );
  });

  test.each([[[10]], [[10, 5, 1]], [[255, 255]], [[11]], [[9, 1]]])("is refused: %j", (bytes) => {
    expect(() => markProtobuf(Buffer.from(bytes), attributes)).toThrow();
  });
});

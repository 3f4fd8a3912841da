import fc from "fast-check";
import { afterAll, describe, expect } from "vitest";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { call, messageBody, startTestGateway, type TestGateway } from "#test/harness/gateway.ts";
import { countPropertyRuns } from "#test/harness/property-runs.ts";
import { test } from "#test/harness/upstream-test.ts";
import { applyGroupTag } from "./group-tag.ts";
import { parseMessage } from "./parse-message.ts";

const NAME = "cost_center";
const groupTags = {
  name: NAME,
  replacedId: "tag_of_workspace",
  ids: { Research: "tag_research", Sales: "tag_sales" },
};
const key: Partial<FoundKey> = { tagIds: ["tag_of_workspace", "tag_other"], groupTags };
const claims = { billingGroupTag: NAME, groupNames: ["Research", "Legal"] };

describe("the tag that a person chooses in Claude Code", () => {
  let gateway: TestGateway;
  test.beforeAll(async ({ upstream }) => {
    gateway = await startTestGateway({ origin: upstream.origin });
  });
  afterAll(() => gateway.close());
  test.beforeEach(({ upstream }) => void upstream.received.splice(0));

  const post = async (token: string, body: string, headers: Record<string, string> = {}) => {
    const authorization = `Bearer ${token}`;
    const answer = await call(gateway.origin, { headers: { authorization, ...headers }, body });
    expect(answer.status).toBe(200);
    return gateway.begins.at(-1)?.tagIds;
  };

  test("counts the request if it is a group of the person, and never reaches the upstream", async ({
    upstream,
  }) => {
    const token = gateway.addLaptop(key, Date.now(), claims);
    const body = messageBody({ tags: { [NAME]: "Research" }, safeguards: [] });
    expect(await post(token, body)).toEqual(["tag_other", "tag_research"]);
    const sent = upstream.received[0]?.body.toString("utf8");
    expect(sent).toBe(messageBody({ safeguards: [] }));
  });

  test.for([
    ["a group of other people", { [NAME]: "Sales" }],
    ["a group of the token that the person has left", { [NAME]: "Legal" }],
    ["an unknown group", { [NAME]: "toString" }],
    ["another tag", { team: "Research" }],
    ["a value that is no text", { [NAME]: ["Research"] }],
    ["no object", "Research"],
    ["nothing", null],
  ] as const)("changes nothing for %s, and is removed too", async ([, tags], { upstream }) => {
    const token = gateway.addLaptop(key, Date.now(), claims);
    expect(await post(token, messageBody({ tags }))).toEqual(key.tagIds);
    expect(upstream.received[0]?.body.toString("utf8")).toBe(messageBody());
  });

  test("changes nothing after the setting got another name", async () => {
    const other = { ...key, groupTags: { ...groupTags, name: "team" } };
    const token = gateway.addLaptop(other, Date.now(), claims);
    expect(await post(token, messageBody({ tags: { [NAME]: "Research" } }))).toEqual(key.tagIds);
  });

  test("passes unchanged without a name in the token, and for other keys", async ({ upstream }) => {
    const body = messageBody({ tags: { [NAME]: "Research" } });
    const beta = { "anthropic-beta": "request-tags-2026-08-21" };
    const unnamed = { ...claims, billingGroupTag: null };
    expect(await post(gateway.addLaptop(key, Date.now(), unnamed), body, beta)).toEqual(key.tagIds);
    expect(await post(gateway.addKey(key), body, beta)).toEqual(key.tagIds);
    for (const received of upstream.received) {
      expect(received.body.toString("utf8")).toBe(body);
      expect(received.headers).toMatchObject(beta);
    }
  });

  test.for([
    ["request-tags-2026-08-21", undefined],
    ["a-2026-01-01, request-tags-2026-08-21,b-2026-01-01", "a-2026-01-01,b-2026-01-01"],
    ["a-2026-01-01, b-2026-01-01", "a-2026-01-01, b-2026-01-01"],
  ] as const)("leaves of the betas %s: %s", async ([sent, left], { upstream }) => {
    const token = gateway.addLaptop(key, Date.now(), claims);
    await post(token, messageBody({ tags: {} }), { "anthropic-beta": sent });
    expect(upstream.received[0]?.headers["anthropic-beta"]).toBe(left);
  });
});

test("a removed field leaves every other byte and valid JSON", () => {
  const space = fc.constantFrom("", " ", "\r\n\t");
  const member = fc.record({ value: fc.jsonValue(), before: space, after: space });
  const laptop = {
    ...{ organizationId: "o", memberId: "m", laptopId: "l", key: "k", groupIds: [] },
    ...{ groupNames: [], issuedAtMs: 0, expiresAtMs: 1, billingGroupTag: NAME },
  };
  fc.assert(
    fc.property(
      fc.array(member, { maxLength: 3 }),
      fc.nat(5),
      fc.jsonValue(),
      space,
      (members, place, tags, gap) => {
        const texts = members.map(
          ({ value, before, after }, at) =>
            `${before}"x${at}"${after}:${JSON.stringify(value)}${after}`,
        );
        texts.push(`${gap}"model":"m"${gap}`, '"messages":[]');
        texts.splice(place % (texts.length + 1), 0, `${gap}"tags":${JSON.stringify(tags)}${gap}`);
        const body = Buffer.from(`{${texts.join(",")}}`);
        const message = parseMessage(body);
        const { body: rest } = applyGroupTag(laptop, { key: {} as FoundKey, message, body });
        const { tags: _, ...others } = JSON.parse(body.toString("utf8"));
        expect(JSON.parse(rest.toString("utf8"))).toEqual(others);
        const same = body.findIndex((byte, at) => byte !== rest[at]);
        expect(body.subarray(same + body.length - rest.length)).toEqual(rest.subarray(same));
      },
    ),
    { numRuns: countPropertyRuns(200) },
  );
});

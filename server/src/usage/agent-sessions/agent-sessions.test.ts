import type { getAgentSession, listAgentSessions } from "@bursar/contract/admin/agent-sessions.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { ClaimedLabels, EndRecord } from "#src/domain/request-record.ts";
import { noCost } from "#src/domain/usage.ts";
import { newId } from "#src/lib/ids.ts";
import type { Client, TestOrganization } from "#test/harness/admin.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

type Page = z.output<(typeof listAgentSessions)["response"]>;
type Detail = z.output<(typeof getAgentSession)["response"]>;

const SESSIONS = "/v1/admin/agent_sessions";
const NOON = Date.UTC(2026, 10, 19, 12);
const MINUTE_MS = 60_000;

/** A request at a minute after noon. */
type Sent = Partial<EndRecord> & { minute: number; nanoUsd: bigint; claimed?: ClaimedLabels };

const test = base
  .extend("company", async ({ h }) => {
    const org = await h.organization();
    const { id: workspaceId } = await org.admin.createWorkspace();
    const { id: apiKeyId } = await org.admin.createApiKey(workspaceId, { name: "Service" });
    const makePerson = (name: string) => makeKeyOfPerson(org, workspaceId, name);
    const send = (sender: object, requests: readonly Sent[]) =>
      recordUsage(
        h.deps.database,
        requests.map(({ minute, nanoUsd, ...fields }) => {
          const startedAtMs = NOON + minute * MINUTE_MS;
          const requestId = newId("req_", startedAtMs);
          const cost = { ...noCost, output: nanoUsd, total: nanoUsd };
          const place = { organizationId: org.id, workspaceId, apiKeyId };
          return endRecord({ ...place, requestId, startedAtMs, cost, ...sender, ...fields });
        }),
      );
    return { org, workspaceId, apiKeyId, makePerson, send };
  })
  .extend("list", ({ company }) => async (query = "", client: Client = company.org.admin) => {
    const answer = await client.get<Page>(`${SESSIONS}?${query}`);
    expect(answer.error.message).toBe("");
    return answer.body;
  })
  .extend("find", ({ company }) => async (id: string, client: Client = company.org.admin) => {
    const answer = await client.get<Detail>(`${SESSIONS}/${id}`);
    expect(answer.error.message).toBe("");
    return answer.body;
  });

async function makeKeyOfPerson(org: TestOrganization, workspaceId: string, name: string) {
  const { id: memberId, client } = await org.member({
    name,
    workspaces: { [workspaceId]: "workspace_user" },
  });
  const { id } = await org.operator.createApiKey(workspaceId, { name, owner_member_id: memberId });
  return { client, sender: { memberId, apiKeyId: id } };
}

const claim = (agentSessionId: string, labels: Partial<ClaimedLabels> = {}) => ({
  claimed: { agentSessionId, ...labels },
});

test("a session has the exact sums of its requests, and each prompt those of its subagents", async ({
  company: { send, apiKeyId },
  find,
  list,
}) => {
  const first = { promptId: "prompt_1" };
  await send({}, [
    { minute: 0, nanoUsd: 1n, ...claim("s", { ...first, requestClass: "main" }) },
    {
      minute: 1,
      nanoUsd: 20n,
      model: "claude-haiku-4-5",
      ...claim("s", { ...first, agentId: "a", requestClass: "subagent" }),
    },
    {
      minute: 2,
      nanoUsd: 300n,
      ...claim("s", { ...first, agentId: "b", parentAgentId: "a", requestClass: "subagent" }),
    },
    { minute: 3, nanoUsd: 4_000n, ...claim("s", { promptId: "prompt_2", requestClass: "main" }) },
    { minute: 4, nanoUsd: 50_000n, ...claim("s") },
    { minute: 5, nanoUsd: 7n, ...claim("other") },
    { minute: 6, nanoUsd: 9n },
  ]);
  const session = await find("s");
  expect(session).toMatchObject({
    id: "s",
    is_claimed: true,
    member_id: null,
    api_key_id: apiKeyId,
    api_key_name: "Service",
    requests: 5,
    output_tokens: 25,
    cost_usd: "0.000054321",
    first_request_at: new Date(NOON).toISOString(),
    last_request_at: new Date(NOON + 4 * MINUTE_MS).toISOString(),
    models: [
      { model: "claude-sonnet-5", requests: 4, cost_usd: "0.000054301" },
      { model: "claude-haiku-4-5", requests: 1, cost_usd: "0.00000002" },
    ],
    has_more_prompts: false,
    other_owners: [],
  });
  expect(session.classes).toMatchObject([
    { request_class: "main", cost_usd: "0.000004001" },
    { request_class: "subagent", cost_usd: "0.00000032" },
    { request_class: null, cost_usd: "0.00005" },
  ]);
  const main = { agent_id: null, parent_agent_id: null };
  expect(session.prompts).toMatchObject([
    { prompt_id: null, cost_usd: "0.00005", agents: [{ ...main, request_classes: [] }] },
    { prompt_id: "prompt_2", cost_usd: "0.000004", agents: [main] },
    {
      prompt_id: "prompt_1",
      requests: 3,
      cost_usd: "0.000000321",
      agents: [
        { ...main, request_classes: ["main"], cost_usd: "0.000000001" },
        { agent_id: "a", parent_agent_id: null, cost_usd: "0.00000002" },
        { agent_id: "b", parent_agent_id: "a", cost_usd: "0.0000003" },
      ],
    },
  ]);
  const { data } = await list();
  expect(data.map(({ id, cost_usd }) => [id, cost_usd])).toEqual([
    ["other", "0.000000007"],
    ["s", "0.000054321"],
  ]);
});

test("pages have each session once, by its newest request", async ({
  h,
  company: { send },
  list,
}) => {
  const names = ["a", "b", "c", "d", "e"];
  await send(
    {},
    [...names, ...names, "a"].map((name, minute) => ({ minute, nanoUsd: 1n, ...claim(name) })),
  );
  const seen: string[] = [];
  let page = "";
  do {
    const answer = await list(`limit=2${page}`);
    seen.push(...answer.data.map(({ id }) => id));
    page = answer.next_page === null ? "" : `&page=${answer.next_page}`;
    // A request after the first page moves no session between pages.
    h.clock.nowMs += MINUTE_MS;
    const minute = (h.clock.nowMs - NOON) / MINUTE_MS - 0.5;
    await send({}, [{ minute, nanoUsd: 1n, ...claim("b") }]);
  } while (page !== "");
  expect(seen).toEqual(["a", "e", "d", "c", "b"]);
});

test("filters select sessions, whose sums have all their requests", async ({
  company: { send, makePerson, workspaceId, apiKeyId },
  list,
}) => {
  const ada = await makePerson("Ada");
  await send({}, [
    { minute: 0, nanoUsd: 1n, ...claim("early") },
    { minute: 9, nanoUsd: 2n, ...claim("early") },
    { minute: 5, nanoUsd: 4n, ...claim("late") },
  ]);
  await send(ada.sender, [{ minute: 7, nanoUsd: 8n, ...claim("ada") }]);
  const names = async (query: string) =>
    (await list(query)).data.map(({ id, cost_usd }) => [id, cost_usd]);
  const early = ["early", "0.000000003"];
  const at = (minute: number) => new Date(NOON + minute * MINUTE_MS).toISOString();
  expect(await names(`ending_at=${at(1)}`)).toEqual([early]);
  expect(await names(`starting_at=${at(8)}`)).toEqual([early]);
  expect(await names(`api_key_id=${apiKeyId}`)).toEqual([early, ["late", "0.000000004"]]);
  expect(await names(`member_id=${ada.sender.memberId}`)).toEqual([["ada", "0.000000008"]]);
  expect(await names("agent_session_id=early")).toEqual([early]);
  expect((await names(`workspace_id=${workspaceId}`)).length).toBe(3);
});

describe("a session belongs to one owner", () => {
  test("the same id of two people is two sessions", async ({
    company: { org, send, makePerson },
    find,
    list,
  }) => {
    const [ada, eve] = [await makePerson("Ada"), await makePerson("Eve")];
    await send(ada.sender, [{ minute: 5, nanoUsd: 100n, ...claim("s") }]);
    await send(eve.sender, [{ minute: 6, nanoUsd: 7n, ...claim("s", { promptId: "p" }) }]);
    const own = await find("s", ada.client);
    expect([own.cost_usd, own.requests, own.other_owners]).toEqual(["0.0000001", 1, []]);
    expect((await find("s", eve.client)).cost_usd).toBe("0.000000007");
    expect((await list("", eve.client)).data).toMatchObject([{ member_name: "Eve", requests: 1 }]);
    // The oldest request decides, so a later claim does not hide the session.
    expect(await find("s")).toMatchObject({
      member_name: "Ada",
      cost_usd: "0.0000001",
      other_owners: [{ member_id: eve.sender.memberId, api_key_id: null }],
    });
    const ofEve = await find(`s?member_id=${eve.sender.memberId}`);
    expect([ofEve.member_name, ofEve.cost_usd]).toEqual(["Eve", "0.000000007"]);
    expect((await list()).data.map(({ member_name }) => member_name)).toEqual(["Eve", "Ada"]);
    const hidden = await eve.client.get(`${SESSIONS}/s?member_id=${ada.sender.memberId}`);
    const missing = await eve.client.get(`${SESSIONS}/unknown`);
    expect([hidden.status, hidden.error]).toEqual([404, missing.error]);
    expect((await org.admin.get(`${SESSIONS}/s?api_key_id=${ada.sender.apiKeyId}`)).status).toBe(
      404,
    );
  });

  test("all keys of a person belong to the person's sessions", async ({
    company: { org, send, makePerson, workspaceId },
    find,
  }) => {
    const ada = await makePerson("Ada");
    const { memberId } = ada.sender;
    const second = await org.operator.createApiKey(workspaceId, { owner_member_id: memberId });
    await send(ada.sender, [{ minute: 0, nanoUsd: 1n, ...claim("s") }]);
    await send({ memberId, apiKeyId: second.id }, [{ minute: 1, nanoUsd: 2n, ...claim("s") }]);
    expect(await find("s")).toMatchObject({ requests: 2, cost_usd: "0.000000003" });
  });
});

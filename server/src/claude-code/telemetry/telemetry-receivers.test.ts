import type {
  telemetryReceiver,
  testTelemetryReceiver,
} from "@bursar/contract/admin/telemetry-receivers.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import type { Client, Listed } from "#test/harness/admin.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { eventually } from "#test/harness/eventually.ts";
import { signInLaptop } from "#test/harness/laptops.ts";
import { answerWith } from "#test/harness/receiver.ts";
import { test } from "#test/harness/telemetry-test.ts";
import { ENVIRONMENT_RECEIVER_ID } from "./receiver.ts";

const PATH = "/v1/admin/telemetry_receivers";
const SECRET = "Bearer abc-123-secret";
const headers = { Authorization: SECRET };
type Shown = z.output<typeof telemetryReceiver>;
type Tested = z.output<typeof testTelemetryReceiver.response>;

const create = (admin: Client, fields: object = {}) =>
  admin.post<Shown>(PATH, { name: "Grafana", url: "https://otel.example.com/x/", ...fields });

describe("a receiver", () => {
  test("is created with sealed headers that no response and no event contains", async ({
    h,
    org,
  }) => {
    const made = await create(org.admin, { headers });
    expect(made.body).toEqual({
      id: expect.stringMatching(/^telrcv_[0-9A-Za-z]{24}$/),
      type: "telemetry_receiver",
      source: "stored",
      name: "Grafana",
      url: "https://otel.example.com/x",
      header_names: ["authorization"],
      signals: ["metrics", "logs", "traces"],
      is_enabled: true,
      state: "unused",
      ...{ last_relayed_at: null, last_failed_at: null, last_failure: null, version: 1 },
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    const { id } = made.body;
    const read = await org.admin.get<Shown>(`${PATH}/${id}`);
    const list = await org.admin.get<Listed<Shown>>(PATH);
    expect(list.body.data).toEqual([read.body]);
    const events = await auditEventsOf(h.deps.database, id);
    expect(events.map(({ event }) => event)).toEqual(["telemetry_receiver.created"]);
    for (const text of [made.text, read.text, list.text, JSON.stringify(events)]) {
      expect(text).not.toContain("abc-123");
    }
    const row = await h.deps.database
      .selectFrom("telemetry_receiver")
      .select("headers_sealed")
      .where("id", "=", id)
      .executeTakeFirstOrThrow();
    expect(Buffer.from(row.headers_sealed ?? []).toString("latin1")).not.toContain("abc-123");
  });

  test("keeps its headers at its origin only", async ({ org }) => {
    const { id } = (await create(org.admin, { headers })).body;
    const update = async (change: object) =>
      (await org.admin.post<Shown>(`${PATH}/${id}`, change)).body;
    expect(await update({ url: "https://otel.example.com/y" })).toMatchObject({
      ...{ url: "https://otel.example.com/y", header_names: ["authorization"], version: 2 },
    });
    expect(await update({ url: "https://other.example.com" })).toMatchObject({ header_names: [] });
    const moved = { url: "https://third.example.com", headers: { "X-Key": SECRET } };
    expect(await update(moved)).toMatchObject({ header_names: ["x-key"] });
    expect(await update({ headers: null })).toMatchObject({ header_names: [] });
  });

  test("changes the given fields alone, and only at its version", async ({ h, org }) => {
    const { id } = (await create(org.admin, { headers, signals: ["logs", "metrics"] })).body;
    const change = { name: "New", is_enabled: false, signals: ["traces", "traces"], if_version: 1 };
    const changed = await org.admin.post<Shown>(`${PATH}/${id}`, change);
    expect(changed.body).toMatchObject({
      ...{ name: "New", is_enabled: false, state: "off", signals: ["traces"], version: 2 },
      header_names: ["authorization"],
    });
    const late = await org.admin.post(`${PATH}/${id}`, { name: "Late", if_version: 1 });
    expect([late.status, late.error.details?.version]).toEqual([409, 2]);
    expect((await org.admin.post<Shown>(`${PATH}/${id}`, { name: "New" })).body.version).toBe(2);
    expect((await org.admin.remove(`${PATH}/${id}`)).status).toBe(200);
    expect((await org.admin.get(`${PATH}/${id}`)).status).toBe(404);
    const events = await auditEventsOf(h.deps.database, id);
    expect(events.map(({ event }) => event.split(".")[1])).toEqual([
      ...["created", "updated", "deleted"],
    ]);
  });

  test.for([
    ["http", { url: "http://8.8.8.8" }, "https"],
    ["a private address", { url: "https://10.0.0.1" }, "private network"],
    ["metadata of a cloud", { url: "http://169.254.169.254" }, "credentials"],
    ["a password", { url: "https://a:b@example.com" }, "password"],
    ["a query", { url: "https://example.com?a=1" }, "no query"],
    ["a path of OTLP", { url: "https://example.com/v1/logs" }, "without /v1"],
    ["no URL", { url: "example.com" }, "expected a URL"],
    ["a reserved header", { headers: { Host: "x" } }, "by itself"],
    ["a header twice", { headers: { "X-A": "1", "x-a": "2" } }, "twice"],
    ["a line break in a header", { headers: { "x-a": "1\r\nx-b: 2" } }, "printable"],
    ["no signal", { signals: [] }, "signals"],
  ] as const)("rejects %s", async ([_, fields, reason], { org }) => {
    const refused = await create(org.admin, fields);
    expect([refused.status, refused.error.message]).toEqual([400, expect.stringContaining(reason)]);
  });

  test("is one of ten at most, also if two are created at once", async ({ org }) => {
    for (let count = 0; count < 9; count++) await create(org.admin, { name: `Number ${count}` });
    const both = await Promise.all([create(org.admin), create(org.admin)]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(both.map(({ error }) => error.details?.error_code)).toContain("too_many_receivers");
    const { body } = await org.admin.get<Listed<Shown>>(`${PATH}?limit=8`);
    const rest = await org.admin.get<Listed<Shown>>(`${PATH}?limit=8&page=${body.next_page}`);
    const ids = [...body.data, ...rest.body.data].map(({ id }) => id);
    expect(new Set(ids).size).toBe(10);
    expect(rest.body.next_page).toBeNull();
  });
});

describe("a test", () => {
  test("sends an export without records for each signal", async ({ h, org, receiver }) => {
    receiver.received.splice(0);
    receiver.answer = answerWith(200);
    const signals = ["metrics", "logs"];
    const { id } = (await create(org.admin, { url: receiver.origin, headers, signals })).body;
    const tested = await org.admin.post<Tested>(`${PATH}/${id}/test`);
    const accepted = { is_accepted: true, status: 200, reason: null };
    expect(tested.body).toEqual({
      ...{ id, type: "telemetry_receiver_test", is_accepted: true },
      answers: signals.map((signal) => ({ signal, ...accepted })),
    });
    expect(receiver.received.map(({ path }) => path).sort()).toEqual(["/v1/logs", "/v1/metrics"]);
    expect(receiver.received[0]).toMatchObject({
      headers: { authorization: SECRET, "content-type": "application/x-protobuf" },
      body: "\n\0",
    });
    const events = await auditEventsOf(h.deps.database, id);
    expect(events.at(-1)?.event).toBe("telemetry_receiver.tested");
  });

  test("shows the answer without the headers that it repeats", async ({ org, receiver }) => {
    receiver.answer = answerWith(401, { text: `no access\nfor ${SECRET}: abc-123-secret` });
    const fields = { url: receiver.origin, headers, signals: ["logs"] };
    const { id } = (await create(org.admin, fields)).body;
    const tested = await org.admin.post<Tested>(`${PATH}/${id}/test`);
    expect(tested.body.answers).toEqual([
      { signal: "logs", is_accepted: false, status: 401, reason: "HTTP 401. no access for …: …" },
    ]);
    receiver.answer = answerWith(307, { headers: { location: receiver.origin } });
    const moved = await org.admin.post<Tested>(`${PATH}/${id}/test`);
    expect(moved.body.answers[0]?.reason).toBe("HTTP 307. Redirects are not followed.");
    receiver.answer = answerWith(200);
  });
});

describe("telemetry of a laptop", () => {
  test("reaches the enabled receivers of its organization, which show it", async ({
    h,
    org,
    workspaceId,
    receiver,
  }) => {
    receiver.received.splice(0);
    receiver.answer = answerWith(200);
    const other = await h.organization();
    const { id } = (await create(org.admin, { url: `${receiver.origin}/own`, headers })).body;
    await create(org.admin, { url: `${receiver.origin}/off`, is_enabled: false });
    await create(other.admin, { url: `${receiver.origin}/other` });
    await h.served.reload();
    const ada = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
    const of = { organizationId: org.id, workspaceId, memberId: ada.id };
    const { accessToken } = await signInLaptop(h.deps, of);
    const send = () =>
      h.visitor.send({
        method: "POST",
        url: "/v1/logs",
        headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
        body: '{"resourceLogs":[{}]}',
      });
    expect((await send()).status).toBe(200);
    const [first] = await eventually(10_000, "the export", async () =>
      receiver.received.length > 0 ? receiver.received : null,
    );
    expect(first).toMatchObject({ path: "/own/v1/logs", headers: { authorization: SECRET } });
    expect(first?.body).toContain(ada.email);
    await eventually(10_000, "its result", async () => {
      await h.served.saveHealth();
      const { state } = (await org.admin.get<Shown>(`${PATH}/${id}`)).body;
      return state === "working" ? state : null;
    });
    receiver.answer = answerWith(503);
    h.clock.nowMs += 1_000;
    await send();
    await eventually(10_000, "its failure", async () => {
      await h.served.saveHealth();
      const { state, last_failure } = (await org.admin.get<Shown>(`${PATH}/${id}`)).body;
      return state === "failing" ? last_failure : null;
    });
    expect(receiver.received.map(({ path }) => path)).toEqual(["/own/v1/logs", "/own/v1/logs"]);
    // A new target has no results.
    const moved = await org.admin.post<Shown>(`${PATH}/${id}`, { url: `${receiver.origin}/new` });
    expect(moved.body).toMatchObject({ state: "unused", last_failure: null });
    await h.served.saveHealth();
    expect((await org.admin.get<Shown>(`${PATH}/${id}`)).body.state).toBe("unused");
    receiver.answer = answerWith(200);
  });
});

test("the receiver of the environment is read-only, and that of one organization", async ({
  h,
  org,
  receiver,
}) => {
  h.settings.environment = {
    ...{ id: ENVIRONMENT_RECEIVER_ID, organizationId: org.id, version: 0, url: receiver.origin },
    ...{ headers: { "x-key": SECRET }, signals: ["metrics", "logs", "traces"] },
  };
  const { id } = (await create(org.admin)).body;
  const list = await org.admin.get<Listed<Shown>>(PATH);
  expect(list.body.data.map((each) => each.id)).toEqual([id, ENVIRONMENT_RECEIVER_ID]);
  expect(list.body.data[1]).toMatchObject({
    ...{ source: "environment", header_names: ["x-key"], version: null, state: "unused" },
  });
  const path = `${PATH}/${ENVIRONMENT_RECEIVER_ID}`;
  expect((await org.admin.get(path)).status).toBe(200);
  const tested = await org.admin.post<Tested>(`${path}/test`);
  expect(tested.body.is_accepted).toBe(true);
  for (const refused of [
    await org.admin.post(path, { name: "Mine" }),
    await org.admin.remove(path),
  ]) {
    expect([refused.status, refused.error.details?.error_code]).toEqual([
      ...[400, "managed_by_environment"],
    ]);
  }
  const other = await h.organization();
  expect((await other.admin.get(path)).status).toBe(404);
  expect((await other.admin.get<Listed<Shown>>(PATH)).body.data).toEqual([]);
  h.settings.environment = null;
});

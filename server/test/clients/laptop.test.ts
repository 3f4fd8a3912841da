import { afterAll, beforeAll, expect, test } from "vitest";
import { startReceiver } from "#test/harness/receiver.ts";
import { stopAllServers } from "#test/harness/server-process.ts";
import { keys } from "./client-terminal.ts";
import { type Company, EMAIL, LOGIN, LOGIN_NOTICE, startCompany } from "./company-of-laptops.ts";
import { type Machine, makeMachine, type PrintedTurn } from "./machine.ts";

// Claude Code signs in to the server in a terminal, and works. Each test continues where the one before ended.

let company: Company;
let machine: Machine;

beforeAll(async () => {
  company = await startCompany();
  machine = await makeMachine(company.server.url);
});
afterAll(async () => {
  await company?.close();
  await stopAllServers();
});

/** Variables that turn telemetry of the client on. */
const TELEMETRY = {
  CLAUDE_CODE_ENABLE_TELEMETRY: "1",
  CLAUDE_CODE_ENHANCED_TELEMETRY_BETA: "1",
  OTEL_METRICS_EXPORTER: "otlp",
  OTEL_LOGS_EXPORTER: "otlp",
  OTEL_TRACES_EXPORTER: "otlp",
  OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
};

function expectAnswer({ json, text }: PrintedTurn): void {
  expect(json, text).toMatchObject({ is_error: false });
}

test("a developer signs in with the company's directory, and sends a turn with a tool", async () => {
  const terminal = machine.open();
  await terminal.waitFor("auto mode on");
  terminal.type("/login");
  await terminal.waitFor("Sign in with your Anthropic account");
  terminal.type(keys.enter);
  await terminal.waitFor(`Gateway:  ${company.server.url}`);
  terminal.type(keys.enter);
  await terminal.waitFor("Trust gateway 127.0.0.1?");
  terminal.type(keys.up);
  await terminal.waitFor("❯ Yes, trust this gateway");
  terminal.type(keys.enter);
  const shown = await terminal.waitFor(/[A-Z]{4}-[A-Z]{4}/);
  expect(shown).toContain(`${company.server.url}/device`);
  expect(shown).toContain(LOGIN_NOTICE);
  const [code = ""] = /[A-Z]{4}-[A-Z]{4}/.exec(shown) ?? [];
  await company.approve(code);
  await terminal.waitFor(`Signed in to Cloud gateway as ${EMAIL}`);
  terminal.type(keys.up);
  await terminal.waitFor("❯ Yes, continue");
  terminal.type(keys.enter);
  await terminal.waitFor("Connected to Cloud gateway");
  terminal.type(keys.enter);
  await terminal.waitFor("Login successful");
  terminal.type("Hello");
  await terminal.waitFor("❯ Hello");
  terminal.type(keys.enter);
  await terminal.waitFor("The tool returned:");
  await terminal.close();
});

test("the next start picks changed settings up, and the cost of its session with a subagent is the client's figure", async () => {
  await company.setSettings({ env: { CLAUDE_CODE_GATEWAY_HINT_HEADERS: "1" } });
  const turn = await machine.print("Use the Agent tool");
  expectAnswer(turn);
  const costNanoUsd = Math.round((turn.json?.total_cost_usd ?? 0) * 1e9);
  await expect
    .poll(() => company.readSession(turn.json?.session_id ?? ""))
    .toEqual({ costNanoUsd, classes: ["main", "subagent"] });
  // Interactive sessions ask for an approval of variables.
  await company.setSettings({ cleanupPeriodDays: 30 });
});

test("a resumed session keeps its id", async () => {
  const first = await machine.print("Hello");
  expectAnswer(first);
  const second = await machine.print("And now?", ["--resume", first.json?.session_id ?? ""]);
  expectAnswer(second);
  expect(second.json?.session_id).toBe(first.json?.session_id);
});

test("the telemetry of a turn names the person in all its parts", async () => {
  const receiver = await startReceiver();
  const created = await company.server.mustOperator("POST", "/v1/admin/telemetry_receivers", {
    ...{ name: "Collector", url: receiver.origin },
  });
  await company.setSettings({ env: TELEMETRY });
  expectAnswer(await machine.print("Hello"));
  await expect
    .poll(() => [...new Set(receiver.received.map(({ path }) => path))].sort(), { timeout: 10_000 })
    .toEqual(["/v1/logs", "/v1/metrics", "/v1/traces"]);
  for (const { body } of receiver.received) {
    const claims = body.match(/"key":"user.id","value":\{"stringValue":"[^"]*"/g) ?? [];
    // One of the resource, and at least one of its data.
    expect(claims.length).toBeGreaterThan(1);
    expect(claims.filter((claim) => !claim.includes(company.memberId))).toEqual([]);
  }
  await company.server.mustOperator("DELETE", `/v1/admin/telemetry_receivers/${created["id"]}`);
  await company.setSettings({ cleanupPeriodDays: 30 });
  await receiver.close();
});

test("a restarted server needs no new sign-in", async () => {
  await company.restart();
  expectAnswer(await machine.print("Hello"));
});

test("without PostgreSQL a signed-in client starts, gets its settings and works", async () => {
  expectAnswer(await company.withoutDatabase(() => machine.print("Hello")));
});

test("requests of Anthropic's own gateway count for the user whom it names", async () => {
  const gateway = await company.openGateway();
  expect(await gateway.send("stranger")).toMatchObject({
    error: { details: { error_code: "forwarded_user_unknown" } },
  });
  expect(await gateway.send(LOGIN)).toMatchObject({ type: "message" });
  await expect.poll(() => gateway.listMemberIds()).toEqual([company.memberId]);
});

test("the client shows the spend of a person, a warning from 75 %, and the refusal at the cap", async () => {
  const spentUsd = await company.spend();
  await company.setCap(spentUsd / 0.8);
  const terminal = machine.open();
  await terminal.waitFor(/You've used 8\d% of your usage credits/);
  terminal.type("/usage");
  await terminal.waitFor("❯ /usage");
  await terminal.pressUntil(keys.enter, /\$\d+\.\d\d \/ \$\d+\.\d\d spent this month/);
  await terminal.pressUntil(keys.escape, "auto mode on");
  await company.setCap(spentUsd / 2);
  terminal.type("Hello");
  await terminal.waitFor("❯ Hello");
  terminal.type(keys.enter);
  await terminal.waitFor(/Your monthly spend limit of \$\d+\.\d\d is used up until/);
  await terminal.close();
  await company.removeCap();
});

test("a sign-out ends the laptop", async () => {
  const before = await machine.readSignIn();
  await machine.run(["auth", "logout"]);
  expect(await machine.readSignIn()).toBeNull();
  await expect.poll(() => company.listEndReasons()).toEqual(["signed_out"]);
  const { status, headers } = await fetch(`${company.server.url}/v1/models`, {
    headers: { authorization: `Bearer ${before?.jwt}` },
  });
  expect([status, headers.get("x-should-retry")]).toEqual([401, "false"]);
});

test("an ended laptop is refused, and the client prints why", async () => {
  await company.signIn(machine);
  const terminal = machine.open();
  await terminal.waitFor("auto mode on");
  await company.endLaptops();
  terminal.type("Hello");
  await terminal.waitFor("❯ Hello");
  terminal.type(keys.enter);
  await terminal.waitFor("This sign-in of Claude Code has ended. Sign in again with /login.");
  await terminal.close();
  const { text, code } = await machine.print("Hello");
  expect(code).toBe(1);
  expect(text).toContain("no longer accepts this session");
});

test("a person whom the directory deactivates gets no further token", async () => {
  const signIn = await company.signIn(machine);
  expect(await company.refresh(signIn)).toMatchObject({ token_type: "Bearer" });
  await company.deactivate();
  await expect.poll(() => company.refresh(signIn)).toMatchObject({ error: "invalid_grant" });
  await machine.writeSignIn({ ...signIn, expiresAt: Date.now() - 1_000 });
  const { text, code } = await machine.print("Hello");
  expect(code).toBe(1);
  expect(text).toContain("no longer accepts this session");
});

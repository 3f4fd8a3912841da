import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { findRoute } from "#src/gateway/routes.ts";
import { test } from "#test/harness/admin-test.ts";
import { signInLaptop } from "#test/harness/laptops.ts";

const SIGNALS = ["/v1/metrics", "/v1/logs", "/v1/traces"];

test("telemetry of a laptop gets the empty answer of its content type", async ({
  h,
  org,
  workspaceId,
}) => {
  const ada = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
  const of = { organizationId: org.id, workspaceId, memberId: ada.id };
  const { accessToken } = await signInLaptop(h.deps, of);
  const post = (url: string, headers: Record<string, string>, body: Buffer | string) =>
    h.visitor.send({
      method: "POST",
      url,
      headers: { authorization: `Bearer ${accessToken}`, ...headers },
      body,
    });
  for (const url of SIGNALS) {
    const json = await post(url, { "content-type": "application/json" }, '{"resourceLogs":[]}');
    expect([json.status, json.text, json.headers["content-type"]]).toEqual([
      200,
      "{}",
      "application/json; charset=utf-8",
    ]);
    const headers = { "content-type": "application/x-protobuf", "content-encoding": "gzip" };
    const protobuf = await post(url, headers, gzipSync(Buffer.from([10, 0])));
    expect([protobuf.status, protobuf.text, protobuf.headers["content-type"]]).toEqual([
      200,
      "",
      "application/x-protobuf",
    ]);
    const text = await post(url, { "content-type": "text/plain" }, "hello");
    expect([text.status, text.headers["x-should-retry"]]).toEqual([400, "false"]);
  }
});

test("telemetry without a laptop is a 401, also with a key", async ({ h, org, workspaceId }) => {
  const { key } = await org.admin.createApiKey(workspaceId);
  const json = { "content-type": "application/json" };
  for (const url of SIGNALS) {
    for (const credential of [{}, { authorization: `Bearer ${key}` }, { "x-api-key": key }]) {
      const headers = { ...json, ...credential };
      const answer = await h.visitor.send({ method: "POST", url, headers, body: "{}" });
      expect([answer.status, answer.headers["x-should-retry"]]).toEqual([401, "false"]);
    }
  }
});

test("exports of telemetry leave the gateway, and other calls of their paths do not", () => {
  for (const path of SIGNALS) {
    expect(findRoute("POST", path)).toBeNull();
    expect(findRoute("GET", path)).toEqual({ kind: "not_found" });
    expect(findRoute("POST", `${path}/x`)).toEqual({ kind: "not_found" });
  }
});

test("the addresses for Claude Code are public", async ({ h }) => {
  const answer = await h.visitor.send({ method: "GET", url: "/protocol" });
  expect(answer.status).toBe(200);
  expect(answer.headers["content-type"]).toBe("text/markdown; charset=utf-8");
  expect(answer.text).toContain("| `POST /v1/messages` |");
});

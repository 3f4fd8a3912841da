import type { storedBatch } from "@bursar/contract/admin/message-batches.ts";
import type { storedObject } from "@bursar/contract/admin/stored-objects.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { z } from "zod";
import { eventually } from "#test/harness/eventually.ts";
import {
  type ServerProcess,
  startServer,
  stopAllServers,
  type WorkspaceWithKey,
} from "#test/harness/server-process.ts";

// Message batches and files of a workspace as administrators see and end them, through the whole product.

type Batch = z.output<typeof storedBatch>;
type StoredObject = z.output<typeof storedObject>;

let server: ServerProcess;

beforeAll(async () => {
  server = await startServer();
});
afterAll(stopAllServers);

const BOUND_MS = 30_000;

async function send<Body>(
  { key }: WorkspaceWithKey,
  path: string,
  body: object | FormData,
): Promise<Body> {
  const isForm = body instanceof FormData;
  const response = await fetch(server.url + path, {
    method: "POST",
    headers: { "x-api-key": key, ...(!isForm && { "content-type": "application/json" }) },
    body: isForm ? body : JSON.stringify(body),
  });
  if (response.status !== 200) throw new Error(await response.text());
  return (await response.json()) as Body;
}

async function list<Item>(path: string, { workspaceId }: WorkspaceWithKey): Promise<Item[]> {
  const { data } = await server.mustAdmin("GET", `${path}?workspace_id=${workspaceId}`);
  return data as Item[];
}

test("a batch is listed with its hold, canceled, and ends with its exact cost and no hold", async () => {
  const workspace = await server.workspaceWithKey();
  await server.mustAdmin("POST", "/v1/admin/spend_limits", {
    scope: { type: "workspace", workspace_id: workspace.workspaceId },
    period: "monthly",
    limit_usd: "100",
    enforcement: "strict",
  });
  const messages = [{ role: "user", content: "Hello" }];
  const lineOf = (model: string) => ({
    custom_id: model,
    params: { model, max_tokens: 50, messages },
  });
  const requests = ["claude-sonnet-5", "simulate-slow-60000"].map(lineOf);
  const { id } = await send<{ id: string }>(workspace, "/v1/messages/batches", { requests });
  const [listed] = await list<Batch>("/v1/admin/message_batches", workspace);
  expect(listed).toMatchObject({
    upstream_batch_id: id,
    status: "in_progress",
    request_count: 2,
    recorded_requests: 0,
    cost_usd: "0.00",
    unresolved_usd: "0.00",
  });
  expect(Number(listed?.held_usd)).toBeGreaterThan(0);
  expect(listed?.held_usd).toBe(listed?.hold_usd);

  const path = `/v1/admin/message_batches/${id}`;
  expect(await server.mustAdmin("POST", `${path}/cancel`)).toMatchObject({ status: "canceling" });
  const ended = await eventually(BOUND_MS, "the batch is recorded", async () => {
    const batch = (await server.mustAdmin("GET", path)) as Batch;
    return batch.status === "ended" ? batch : null;
  });
  expect(ended).toMatchObject({ recorded_requests: 2, held_usd: "0.00", unresolved_usd: "0.00" });
  const [recorded] = await server.sql<{ cost: string }>(
    `SELECT coalesce(sum(cost_nano_usd), 0)::text AS cost FROM recorded_request
     WHERE upstream_request_id = $1`,
    [id],
  );
  expect(Math.round(Number(ended.cost_usd) * 1e9)).toBe(Number(recorded?.cost));
  const refused = await server.admin("POST", `${path}/cancel`);
  expect(refused.status).toBe(409);
});

test("a file is listed with its name and size, and deleted at its upstream", async () => {
  const workspace = await server.workspaceWithKey();
  const form = new FormData();
  form.append("file", new File(["a,b\n1,2\n"], "table.csv", { type: "text/csv" }));
  const { id } = await send<{ id: string }>(workspace, "/v1/files", form);
  const [listed] = await list<StoredObject>("/v1/admin/stored_objects", workspace);
  expect(listed).toMatchObject({ id, kind: "file", name: "table.csv", size_bytes: 8 });
  const read = () =>
    fetch(`${server.url}/v1/files/${id}`, { headers: { "x-api-key": workspace.key } });
  expect((await read()).status).toBe(200);
  await server.mustAdmin("DELETE", `/v1/admin/stored_objects/${id}`);
  expect((await read()).status).toBe(404);
  expect(await list("/v1/admin/stored_objects", workspace)).toEqual([]);
});

import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApiKey, getApiKey, listApiKeys } from "@bursar/contract/admin/api-keys.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LocalListener, listenLocally } from "#src/http/listen.ts";
import { localSocketPath } from "#src/lib/local-socket.ts";
import { listAll } from "./list-all.ts";
import { type CommandError, callRoute, makeLocalApi } from "./local-api.ts";

let folder: string;
let listener: LocalListener | null = null;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "local-api-")));
});
afterEach(async () => {
  await listener?.close();
  listener = null;
  await rm(folder, { recursive: true });
});

async function serve(dataDir: string, onRequest: RequestListener): Promise<void> {
  listener = await listenLocally(localSocketPath(dataDir, "admin.sock"), onRequest);
}

/** Answers with what was asked for. */
const echo: RequestListener = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method, url } = request;
  response.end(JSON.stringify({ method, url, body: Buffer.concat(chunks).toString() }));
};

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: CommandError) => error,
  );

test("the server is found through a link to its folder, also where the socket's path would be too long", async () => {
  const long = join(folder, "x".repeat(60), "y".repeat(60));
  const link = join(folder, "link");
  await mkdir(long, { recursive: true });
  await symlink(long, link);
  await serve(long, echo);
  for (const dataDir of [long, link]) {
    expect(await makeLocalApi(dataDir)("GET", "/healthz")).toMatchObject({ url: "/healthz" });
  }
});

test("a route is called at its path, its parts in their places", async () => {
  await serve(folder, echo);
  const callApi = makeLocalApi(folder);
  expect(await callRoute(callApi, getApiKey, { params: { api_key_id: "a/b?c" } })).toMatchObject({
    method: "GET",
    url: "/v1/admin/api_keys/a%2Fb%3Fc",
    body: "",
  });
  expect(
    await callRoute(callApi, listApiKeys, { query: { name: "a&b", status: undefined } }),
  ).toMatchObject({ url: "/v1/admin/api_keys?name=a%26b" });
  const body = { name: "k", workspace_id: "wksp_1", expires_at: undefined };
  expect(await callRoute(callApi, createApiKey, { body })).toMatchObject({
    method: "POST",
    body: '{"name":"k","workspace_id":"wksp_1"}',
  });
});

test("a list is followed to its end", async () => {
  const asked: string[] = [];
  await serve(folder, (request, response) => {
    asked.push(request.url ?? "");
    const next_page = asked.length < 3 ? `page ${asked.length}` : null;
    response.end(JSON.stringify({ data: [{ id: asked.length }], next_page }));
  });
  const all = await listAll(makeLocalApi(folder), listApiKeys);
  expect(all.map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(asked).toEqual([
    "/v1/admin/api_keys?limit=1000",
    "/v1/admin/api_keys?limit=1000&page=page+1",
    "/v1/admin/api_keys?limit=1000&page=page+2",
  ]);
});

describe("what went wrong", () => {
  test.each([
    [400, 2],
    [401, 3],
    [403, 3],
    [404, 4],
    [409, 5],
    [413, 2],
    [500, 1],
    [503, 1],
  ])("%i is told in the server's words and exits with %i", async (status, exitCode) => {
    await serve(folder, (_, response) => {
      const error = { type: "x", message: "The server's words." };
      response.writeHead(status).end(JSON.stringify({ error, request_id: "req_1" }));
    });
    const error = await failureOf(makeLocalApi(folder)("GET", "/"));
    expect(error).toMatchObject({ message: "The server's words.", exitCode, requestId: "req_1" });
  });

  test("a server that hangs up in the middle of its answer", async () => {
    await serve(folder, (_, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("{", () => response.destroy());
    });
    const error = await failureOf(makeLocalApi(folder)("GET", "/"));
    expect(error?.message).toContain("ended before it had answered");
    expect(error?.exitCode).toBe(1);
  });

  test("no server, or no such folder", async () => {
    for (const dataDir of [folder, join(folder, "none")]) {
      const error = await failureOf(makeLocalApi(dataDir)("GET", "/"));
      expect(error?.message).toContain(`No server is running on the data folder ${dataDir}`);
      expect(error?.exitCode).toBe(1);
    }
  });
});

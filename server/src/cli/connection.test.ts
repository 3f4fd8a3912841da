import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApiKey, getApiKey, listApiKeys } from "@bursar/contract/admin/api-keys.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LocalListener, listenLocally } from "#src/http/listen.ts";
import { getSocketPath } from "#src/lib/local-socket.ts";
import type { CommandError } from "./command-error.ts";
import { call, connectLocally, connectRemotely } from "./connection.ts";
import { callRoute, makeLocalApi, targetOf } from "./local-api.ts";

let folder: string;
let listener: LocalListener | null = null;
let remote: Server | null = null;

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "connection-")));
});
afterEach(async () => {
  await listener?.close();
  listener = null;
  remote?.close();
  remote = null;
  await rm(folder, { recursive: true });
});

async function serve(dataDir: string, onRequest: RequestListener): Promise<void> {
  listener = await listenLocally(getSocketPath(dataDir, "admin.sock"), onRequest);
}

async function serveRemotely(onRequest: RequestListener): Promise<string> {
  const server = createServer(onRequest);
  remote = server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Responds with the request's own data. */
const echo: RequestListener = async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method, url, headers } = request;
  const key = headers["x-api-key"];
  response.end(JSON.stringify({ method, url, key, body: Buffer.concat(chunks).toString() }));
};

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: CommandError) => error,
  );

const get = { method: "GET", target: "/" } as const;

test("finds the server through a link to its folder, also if the socket's path would be too long", async () => {
  const long = join(folder, "x".repeat(60), "y".repeat(60));
  const link = join(folder, "link");
  await mkdir(long, { recursive: true });
  await symlink(long, link);
  await serve(long, echo);
  for (const dataDir of [long, link]) {
    expect(await makeLocalApi(dataDir)("GET", "/healthz")).toMatchObject({ url: "/healthz" });
  }
});

test("calls a route with its parameters in path, query and body", async () => {
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
  expect(targetOf(listApiKeys, { query: { status: ["a", "b"] } })).toBe(
    "/v1/admin/api_keys?status=a&status=b",
  );
});

test("sends the key to a remote server below the path of its address, and none to the local one", async () => {
  const url = await serveRemotely(echo);
  await serve(folder, echo);
  for (const address of [`${url}/desk`, `${url}/desk/`]) {
    const connection = connectRemotely({ url: address, key: "sk-ant-admin01-x" });
    expect(
      await call(connection, { ...get, target: "/v1/admin/workspaces?limit=1" }),
    ).toMatchObject({ url: "/desk/v1/admin/workspaces?limit=1", key: "sk-ant-admin01-x" });
  }
  expect(await call(connectLocally(folder), get)).not.toHaveProperty("key");
});

test("follows no redirect, so the key stays with its origin", async () => {
  const asked: string[] = [];
  const url = await serveRemotely((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(302, { location: "/elsewhere" }).end();
  });
  const error = await failureOf(call(connectRemotely({ url, key: "k" }), get));
  expect(error).toMatchObject({ exitCode: 1, message: expect.stringContaining("302") });
  expect(asked).toEqual(["/"]);
});

describe("failures", () => {
  test.each([
    [400, 2],
    [401, 3],
    [403, 3],
    [404, 4],
    [409, 5],
    [413, 2],
    [429, 6],
    [500, 1],
    [502, 7],
    [503, 7],
    [529, 7],
  ])("status %i shows the server's message and exits with %i", async (status, exitCode) => {
    await serve(folder, (_, response) => {
      const error = { type: "x", message: "The server's words." };
      response.writeHead(status).end(JSON.stringify({ error, request_id: "req_1" }));
    });
    const error = await failureOf(makeLocalApi(folder)("GET", "/"));
    expect(error).toMatchObject({ message: "The server's words.", exitCode, requestId: "req_1" });
  });

  test("reports a server that disconnects during its response", async () => {
    await serve(folder, (_, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("{", () => response.destroy());
    });
    const error = await failureOf(makeLocalApi(folder)("GET", "/"));
    expect(error?.message).toContain("closed the connection before it responded");
    expect(error?.exitCode).toBe(1);
  });

  test("reports a missing server and a missing folder", async () => {
    for (const dataDir of [folder, join(folder, "none")]) {
      const error = await failureOf(makeLocalApi(dataDir)("GET", "/"));
      expect(error?.message).toContain(`No server is running on the data folder ${dataDir}`);
      expect(error?.exitCode).toBe(7);
    }
  });

  test("reports an address with another service or none", async () => {
    const url = await serveRemotely((_, response) => void response.end("<html>Welcome</html>"));
    const foreign = await failureOf(call(connectRemotely({ url, key: "k" }), get));
    expect(foreign?.message).toBe(`${url} does not respond like Bursar. Check the address.`);
    remote?.close();
    remote?.closeAllConnections();
    const gone = await failureOf(call(connectRemotely({ url, key: "k" }), get));
    expect(foreign?.exitCode).toBe(1);
    expect(gone).toMatchObject({ exitCode: 7 });
    expect(gone?.message).toMatch(/^http:\/\/127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/);
  });

  test("truncates the error page of a proxy", async () => {
    const url = await serveRemotely((_, response) => {
      response.writeHead(502).end(`<html>${"x".repeat(10_000)}`);
    });
    const error = await failureOf(call(connectRemotely({ url, key: "k" }), get));
    expect(error?.message).toMatch(/^The server responded 502: <html>x+$/);
    expect(error?.message.length).toBeLessThan(300);
  });
});

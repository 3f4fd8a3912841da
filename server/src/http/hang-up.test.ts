import { once } from "node:events";
import type { IncomingMessage, RequestListener } from "node:http";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { CompiledQuery } from "kysely";
import { afterAll, describe, expect } from "vitest";
import { makeTurnEnd } from "#src/lib/turn-end.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { fillRequestLog } from "#test/harness/fill-request-log.ts";
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from "#test/harness/test-certificate.ts";
import { type Listener, listen } from "./listen.ts";

// A client that disconnects is no server error, so nothing is logged.

const ROWS = 50_000;

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  .extend(
    "faults",
    ({ h }) =>
      () =>
        h.logs.filter((line) => (JSON.parse(line) as { level: number }).level >= WARNING),
  )
  /** Resolves when the server has handled the end of the connection. */
  .extend("untilGone", ({ org }) => async (request: IncomingMessage | undefined): Promise<void> => {
    if (request && !request.socket.closed) await once(request.socket, "close");
    const answer = await org.admin.get("/v1/admin/workspaces");
    expect(answer.status).toBe(200);
  });

/** Requests that reached the server, the newest last. */
const requests: IncomingMessage[] = [];

test.beforeAll(async ({ h, org }) => {
  const workspace = await org.operator.createWorkspace();
  const key = await org.operator.createApiKey(workspace.id);
  const { database } = h.deps;
  const runSql = async <T extends object>(text: string, values: readonly unknown[] = []) =>
    (await database.executeQuery<T>(CompiledQuery.raw(text, [...values]))).rows;
  await fillRequestLog({ sql: runSql }, { workspaceId: workspace.id, apiKeyId: key.id }, ROWS);
});
test.beforeEach(({ h }) => {
  h.logs.length = 0;
});

const WARNING = 40;

const certificate = { cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY };
/** Hands every request over to node:http. */
const sockets = { turnEnd: makeTurnEnd(), handles: () => false, handle: () => undefined };
const listeners = [
  ["plain HTTP", null, null],
  ["TLS", certificate, null],
  ["sockets", null, sockets],
  ["sockets with TLS", certificate, sockets],
] as const;

describe.each(listeners)("a client that disconnects over %s", (_, tls, reader) => {
  let listener: Listener;
  test.beforeAll(async ({ h }) => {
    const onRequest: RequestListener = (request, response) => {
      requests.push(request);
      h.app.routing(request, response);
    };
    const address = { host: "127.0.0.1", port: 0 };
    listener = await listen({
      ...address,
      tls,
      onRequest,
      onCheckContinue: onRequest,
      sockets: reader,
    });
  });
  afterAll(async () => {
    await listener.close(Promise.resolve());
  });

  async function connect(): Promise<Socket> {
    const port = Number(new URL(listener.url).port);
    const socket = tls
      ? connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false })
      : connectPlain(port, "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, tls ? "secureConnect" : "connect");
    return socket;
  }

  test.for([
    ["in the middle of a body", "content-length: 100\r\n\r\n{"],
    ["in the middle of a chunk", "transfer-encoding: chunked\r\n\r\n5\r\n{"],
    ["before its body", "content-length: 100\r\n\r\n"],
  ] as const)("%s is not logged as a fault", async ([_when, rest], { org, faults, untilGone }) => {
    const socket = await connect();
    const before = requests.length;
    socket.write(
      `POST /v1/admin/workspaces HTTP/1.1\r\nhost: x\r\nx-api-key: ${org.adminKey}\r\ncontent-type: application/json\r\n${rest}`,
    );
    await expect.poll(() => requests.length).toBe(before + 1);
    socket.destroy();
    await untilGone(requests.at(-1));
    expect(faults()).toEqual([]);
  });

  test("in the middle of a CSV file is not logged as a fault", async ({
    org,
    faults,
    untilGone,
  }) => {
    const socket = await connect();
    socket.write(
      `GET /v1/admin/requests/export HTTP/1.1\r\nhost: x\r\nx-api-key: ${org.adminKey}\r\n\r\n`,
    );
    const [first] = await once(socket, "data");
    expect(String(first)).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
    await untilGone(requests.at(-1));
    expect(faults()).toEqual([]);
  });
});

import { chmodSync, lstatSync, rmSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { type Clock, systemClock } from "#src/lib/clock.ts";
import { createServer } from "#src/lib/node-http.ts";
import { answerCountTokens, answerMessage } from "./answer-message.ts";
import { answerModel, answerModels } from "./answer-models.ts";
import type { Exchange, SimulatorDeps } from "./exchange.ts";
import { findObjectAnswer } from "./objects/object-routes.ts";
import { openObjectStores } from "./objects/object-stores.ts";
import { openSimulatorFolder } from "./objects/simulator-folder.ts";
import { makePromptCache } from "./prompt-cache.ts";
import { readBody } from "./read-body.ts";
import { makeRequestLog } from "./request-log.ts";
import { makeHeaders, newRequestId } from "./response-headers.ts";
import { errorBody, SimulatedError } from "./simulated-error.ts";

/** Address to listen on: a socket only for its owner, or a free port of the loopback address. */
export type SimulatorListen = { socketPath: string } | { port: 0 };

export interface Simulator {
  address: { socketPath: string } | { origin: string };
  /** Stops the server and breaks running responses. */
  close(): Promise<void>;
}

/** Longer than any client keeps an idle connection, so this side never closes a connection in use. */
const KEEP_ALIVE_MS = 15 * 60_000;

export interface SimulatorOptions {
  clock?: Clock;
  /** Folder of files and other objects. Omitted: a temporary one, until the simulator is closed. */
  folder?: string;
}

/** Starts a Claude API without cost. Throws if it cannot listen on the address. */
export async function startSimulator(
  listen: SimulatorListen,
  { clock = systemClock, folder }: SimulatorOptions = {},
): Promise<Simulator> {
  const objects = openSimulatorFolder(folder ?? null);
  const deps: SimulatorDeps = {
    clock,
    cache: makePromptCache(),
    log: makeRequestLog(),
    ...openObjectStores(objects.path, () => clock.nowMs()),
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 });
  server.on("request", (request, response) => void handleRequest(deps, request, response));
  const address = await startListening(server, listen).catch((error: unknown) => {
    objects.close();
    throw error;
  });
  return {
    address,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
      });
      objects.close();
    },
  };
}

async function startListening(
  server: Server,
  listen: SimulatorListen,
): Promise<Simulator["address"]> {
  const options = "port" in listen ? { port: 0, host: "127.0.0.1" } : { path: listen.socketPath };
  if ("socketPath" in listen) removeStaleSocket(listen.socketPath);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  if (typeof address === "object" && address !== null) {
    return { origin: `http://127.0.0.1:${address.port}` };
  }
  if ("socketPath" in listen && process.platform !== "win32") chmodSync(listen.socketPath, 0o600);
  return { socketPath: String(address) };
}

/** Removes the socket of a killed process, which would block listening. Other files are not removed. */
function removeStaleSocket(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path);
}

async function handleRequest(
  deps: SimulatorDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const nowMs = deps.clock.nowMs();
  const requestId = newRequestId(nowMs);
  const headers = makeHeaders(requestId, nowMs);
  try {
    const url = new URL(request.url ?? "/", "http://simulator");
    await route(deps, { request, response, url, requestId, headers });
  } catch (error) {
    const refusal = error instanceof SimulatedError ? error : internalError(error);
    sendError(response, refusal, requestId, headers);
  }
}

async function route(deps: SimulatorDeps, exchange: Exchange): Promise<void> {
  const { request, response, url, headers } = exchange;
  const path = url.pathname;
  const method = request.method ?? "";
  if (path === "/v1/messages" && method === "POST") {
    await answerMessage(deps, exchange, await readBody(request));
  } else if (path === "/v1/messages/count_tokens" && method === "POST") {
    await answerCountTokens(exchange, await readBody(request));
  } else if (path === "/v1/models" && isRead(method)) {
    answerModels(exchange);
  } else if (path.startsWith("/v1/models/") && isRead(method)) {
    answerModel(exchange, path.slice("/v1/models/".length));
  } else if (path === "/api/hello" && isRead(method)) {
    response.writeHead(200, headers).end();
  } else if (path === "/simulator/requests" && isRead(method)) {
    const last = Number(url.searchParams.get("last") ?? Number.POSITIVE_INFINITY);
    response
      .writeHead(200, { ...headers, "content-type": "application/json" })
      .end(JSON.stringify(deps.log.read(last)));
  } else {
    const answer = findObjectAnswer(method, path);
    if (answer === null) throw new SimulatedError(404, "Not found");
    await answer(deps, exchange);
  }
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function internalError(error: unknown): SimulatedError {
  return new SimulatedError(500, `Simulator error: ${String(error)}`);
}

function sendError(
  response: ServerResponse,
  error: SimulatedError,
  requestId: string,
  headers: Record<string, string>,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response
    .writeHead(error.status, {
      ...headers,
      "content-type": "application/json",
      ...(error.status === 429 ? { "retry-after": "1" } : {}),
      // The rest of a too large body is not read, so the connection cannot be used again.
      ...(error.status === 413 ? { connection: "close" } : {}),
    })
    .end(errorBody(error, requestId));
}

import { realpathSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { pipeline } from "node:stream/promises";
import type { RouteSpec } from "@bursar/contract/route.ts";
import type { z } from "zod";
import { localSocketPath } from "#src/lib/local-socket.ts";

/** A command that did not do what it was asked: `exitCode` is what the program exits with. */
export class CommandError extends Error {
  readonly exitCode: number;
  /** Of the server's answer, for its log; null where there was none. */
  readonly requestId: string | null;

  constructor(message: string, exitCode: number, requestId: string | null = null) {
    super(message);
    this.exitCode = exitCode;
    this.requestId = requestId;
  }
}

export const exitCodes = {
  error: 1,
  usage: 2,
  authentication: 3,
  notFound: 4,
  conflict: 5,
} as const;

const exitCodeOfStatus: Record<number, number> = {
  400: exitCodes.usage,
  401: exitCodes.authentication,
  403: exitCodes.authentication,
  404: exitCodes.notFound,
  409: exitCodes.conflict,
  413: exitCodes.usage,
  429: exitCodes.conflict,
};

const TIMEOUT_MS = 30_000;

type Method = "GET" | "POST" | "DELETE";

interface LocalAnswer {
  status: number;
  text: string;
}

/** One HTTP request, whatever the status of its answer. Throws CommandError when no server answers. */
export type SendLocally = (method: Method, path: string, body?: object) => Promise<LocalAnswer>;

/** The same, throwing CommandError with the server's own words for an error. */
export type CallApi = (method: Method, path: string, body?: object) => Promise<unknown>;

/**
 * Requests to the server that owns `dataDir` through its local socket: no key, the right to open the socket is the
 * authority.
 */
export function makeLocalSend(dataDir: string, timeoutMs = TIMEOUT_MS): SendLocally {
  return async (method, path, body) => {
    const response = await openResponse(dataDir, { method, path, body, timeoutMs });
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      return {
        status: response.statusCode ?? 0,
        text: Buffer.concat(chunks).toString("utf8"),
      };
    } catch (error) {
      throw new CommandError(noServer(dataDir, error as Error), exitCodes.error);
    }
  };
}

interface LocalRequest {
  method: Method;
  path: string;
  body?: object | undefined;
  /** How long the server may say nothing. */
  timeoutMs: number;
}

/** The beginning of the answer. Throws CommandError when there is none. */
function openResponse(
  dataDir: string,
  { method, path, body, timeoutMs }: LocalRequest,
): Promise<IncomingMessage> {
  const socketPath = localSocketPath(withoutLinks(dataDir), "admin.sock");
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string> = { "user-agent": "bursar-cli" };
    if (payload !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = String(Buffer.byteLength(payload));
    }
    const options = { socketPath, method, path, headers, timeout: timeoutMs };
    const call = request(options, resolve);
    call.on("timeout", () => call.destroy(new Error("The server did not answer in time.")));
    call.on("error", (error: NodeJS.ErrnoException) =>
      reject(new CommandError(noServer(dataDir, error), exitCodes.error)),
    );
    call.end(payload);
  });
}

/** Writes the answer of a streamed route to `destination` as it comes. Throws CommandError, also for one that broke off. */
export async function streamLocally(
  dataDir: string,
  path: string,
  destination: NodeJS.WritableStream,
): Promise<void> {
  const response = await openResponse(dataDir, { method: "GET", path, timeoutMs: TIMEOUT_MS });
  const status = response.statusCode ?? 0;
  if (status >= 400) {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    throw refusal(status, Buffer.concat(chunks).toString("utf8"));
  }
  try {
    await pipeline(response, destination, { end: destination !== process.stdout });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`The answer broke off (${reason}).`, exitCodes.error);
  }
}

export function makeLocalApi(dataDir: string, timeoutMs = TIMEOUT_MS): CallApi {
  const send = makeLocalSend(dataDir, timeoutMs);
  return async (method, path, body) => {
    const { status, text } = await send(method, path, body);
    if (status >= 400) throw refusal(status, text);
    return JSON.parse(text);
  };
}

/** What one call of a route takes, as it goes over the wire. */
interface CallInput<R extends RouteSpec> {
  params?: Input<R["params"]>;
  query?: Input<R["query"]>;
  body?: Input<R["body"]>;
}
type Input<T> = T extends z.ZodType ? z.input<T> : never;

/** Calls a route of the contract. The answer is what the contract says: the server held it against its schema. */
export async function callRoute<R extends RouteSpec>(
  callApi: CallApi,
  route: R,
  input: CallInput<R> = {},
): Promise<z.output<R["response"]>> {
  const body = input.body as object | undefined;
  return (await callApi(route.method, targetOf(route, input), body)) as z.output<R["response"]>;
}

/** Path and query of a call. */
export function targetOf<R extends RouteSpec>(
  route: R,
  { params, query }: Omit<CallInput<R>, "body">,
): string {
  const named = (params ?? {}) as Record<string, string>;
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(named[name] ?? ""),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) search.append(name, String(value));
  }
  return search.size === 0 ? path : `${path}?${search}`;
}

/** The server's socket is named after its folder as it is without links. */
function withoutLinks(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder; // not there: nothing listens in it
  }
}

function refusal(status: number, text: string): CommandError {
  const { message, requestId } = readErrorBody(text);
  return new CommandError(message, exitCodeOfStatus[status] ?? exitCodes.error, requestId);
}

function readErrorBody(text: string): { message: string; requestId: string | null } {
  try {
    const { error, request_id } = JSON.parse(text) as {
      error?: { message?: string };
      request_id?: string;
    };
    return { message: error?.message ?? text, requestId: request_id ?? null };
  } catch {
    return { message: text, requestId: null };
  }
}

function noServer(dataDir: string, error: NodeJS.ErrnoException): string {
  if (error.code === "EACCES") {
    return `This user may not open the admin socket in ${dataDir}: run the command as the user that runs the server.`;
  }
  if (error.code === "ENOENT" || error.code === "ECONNREFUSED" || error.code === "ENOTDIR") {
    return `No server is running on the data folder ${dataDir}: start it with \`npm start\`, or set BURSAR_DATA_DIR to its folder.`;
  }
  if (error.code === "ECONNRESET") {
    return "The server ended before it had answered: look whether what was asked for has happened.";
  }
  return error.message;
}

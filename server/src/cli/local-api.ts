import { realpathSync } from "node:fs";
import { request } from "node:http";
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
export function makeLocalSend(dataDir: string): SendLocally {
  const socketPath = localSocketPath(withoutLinks(dataDir), "admin.sock");
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers: Record<string, string> = { "user-agent": "bursar-cli" };
      if (payload !== undefined) {
        headers["content-type"] = "application/json";
        headers["content-length"] = String(Buffer.byteLength(payload));
      }
      const fail = (error: NodeJS.ErrnoException) =>
        reject(new CommandError(noServer(dataDir, error), exitCodes.error));
      const options = { socketPath, method, path, headers, timeout: TIMEOUT_MS };
      const call = request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", fail);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, text });
        });
      });
      call.on("timeout", () => call.destroy(new Error("The server did not answer in time.")));
      call.on("error", fail);
      call.end(payload);
    });
}

export function makeLocalApi(dataDir: string): CallApi {
  const send = makeLocalSend(dataDir);
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
  { params, query, body }: CallInput<R> = {},
): Promise<z.output<R["response"]>> {
  const named = (params ?? {}) as Record<string, string>;
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(named[name] ?? ""),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) search.append(name, String(value));
  }
  const target = search.size === 0 ? path : `${path}?${search}`;
  return (await callApi(route.method, target, body as object | undefined)) as z.output<
    R["response"]
  >;
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

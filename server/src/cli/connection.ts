import { realpathSync } from "node:fs";
import type { IncomingMessage, RequestOptions } from "node:http";
import type { HttpMethod } from "@bursar/contract/route.ts";
import { CommandError, exitCodes, makeRefusal } from "./command-error.ts";

/** Maximum silence of the server by default, milliseconds. */
const TIMEOUT_MS = 30_000;
/** A long report starts late and waits for a slow reader. */
const STREAM_TIMEOUT_MS = 600_000;

export interface ServerCall {
  method: HttpMethod;
  /** Path and query. */
  target: string;
  body?: string | undefined;
  headers?: Readonly<Record<string, string>>;
  /** Maximum silence of the server, milliseconds. */
  timeoutMs?: number;
}

/** Connection to one server. */
export interface Connection {
  /** Description of the server for people. */
  readonly server: string;
  /** Sends a call and returns the response, whatever its status. Throws CommandError without a response. */
  open(call: ServerCall): Promise<IncomingMessage>;
}

/** Connects to the server of `dataDir` by its local socket. Access to the socket is the authority, no key is sent. */
export function connectLocally(dataDir: string): Connection {
  return {
    server: `the server on the data folder ${dataDir}`,
    async open(call) {
      const { getSocketPath } = await import("#src/lib/local-socket.ts");
      const socketPath = getSocketPath(resolveLinks(dataDir), "admin.sock");
      const explain = (error: NodeJS.ErrnoException) => describeLocalFailure(dataDir, error);
      return openRequest({ socketPath }, call, explain);
    },
  };
}

/** Connects to a remote server with a key. Redirects are not followed, so the key goes to this origin only. */
export function connectRemotely({ url, key }: { url: string; key: string }): Connection {
  const base = new URL(url);
  const prefix = base.pathname.replace(/\/+$/, "");
  const isEncrypted = base.protocol === "https:";
  const where: RequestOptions = {
    protocol: base.protocol,
    // A URL has brackets around an IPv6 address, a socket address has none.
    hostname: base.hostname.replace(/^\[|\]$/g, ""),
    port: base.port === "" ? (isEncrypted ? 443 : 80) : base.port,
  };
  return {
    server: base.origin,
    open(call) {
      const toServer = {
        ...call,
        target: `${prefix}${call.target}`,
        headers: { ...call.headers, "x-api-key": key },
      };
      const explain = (error: NodeJS.ErrnoException) => describeRemoteFailure(base.origin, error);
      return openRequest(where, toServer, explain);
    },
  };
}

async function openRequest(
  where: RequestOptions,
  call: ServerCall,
  explain: (error: NodeJS.ErrnoException) => string,
): Promise<IncomingMessage> {
  // Loaded here, because loading takes most of a start and help needs neither.
  const { request } = await (where.protocol === "https:"
    ? import("node:https")
    : import("#src/lib/node-http.ts"));
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { "user-agent": "bursar-cli", ...call.headers };
    if (call.body !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = String(Buffer.byteLength(call.body));
    }
    const { method, target: path, timeoutMs: timeout = TIMEOUT_MS } = call;
    const sent = request({ ...where, method, path, headers, timeout, agent: false }, resolve);
    sent.on("timeout", () => sent.destroy(new Error("The server did not respond in time.")));
    sent.on("error", (error: NodeJS.ErrnoException) =>
      reject(new CommandError(explain(error), findConnectionExitCode(error))),
    );
    sent.end(call.body);
  });
}

/** Returns the exit code for a failed request. Only an unsent request is safe to repeat. */
function findConnectionExitCode({ code, syscall }: NodeJS.ErrnoException): number {
  if (code === "EACCES") return exitCodes.authentication;
  const isUnsent = syscall === "connect" || syscall === "getaddrinfo";
  return isUnsent ? exitCodes.unavailable : exitCodes.error;
}

/** Returns the whole response, whatever its status. Throws CommandError if it is cut off. */
export async function send(
  connection: Connection,
  call: ServerCall,
): Promise<{ status: number; text: string }> {
  const response = await connection.open(call);
  return { status: response.statusCode ?? 0, text: await readAll(response) };
}

/** Returns the parsed response. Throws CommandError with the server's message for an error. */
export async function call(connection: Connection, serverCall: ServerCall): Promise<unknown> {
  const { status, text } = await send(connection, serverCall);
  if (status >= 300) throw makeRefusal(status, text);
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError(
      `${connection.server} does not respond like Bursar. Check the address.`,
      exitCodes.error,
    );
  }
}

/** Writes a streamed response to `destination`. Throws CommandError, also if the stream is cut off. */
export async function streamResponse(
  connection: Connection,
  target: string,
  destination: NodeJS.WritableStream,
): Promise<void> {
  const response = await connection.open({
    method: "GET",
    target,
    timeoutMs: STREAM_TIMEOUT_MS,
  });
  const status = response.statusCode ?? 0;
  if (status >= 300) throw makeRefusal(status, await readAll(response));
  const { pipeline } = await import("node:stream/promises");
  try {
    await pipeline(response, destination, { end: destination !== process.stdout });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`The response was cut off (${reason}).`, exitCodes.error);
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const explained = code === "ECONNRESET" ? BROKE_OFF : message;
    throw new CommandError(explained, exitCodes.error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const BROKE_OFF =
  "The server closed the connection before it responded. Check whether the change was made.";

/** The name of the server's socket is derived from its folder's path without links. */
function resolveLinks(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return folder; // no folder, so no server
  }
}

function describeLocalFailure(dataDir: string, error: NodeJS.ErrnoException): string {
  if (error.code === "EACCES") {
    return `No permission to open the admin socket in ${dataDir}: run the command as the user that runs the server.`;
  }
  if (error.code === "ENOENT" || error.code === "ECONNREFUSED" || error.code === "ENOTDIR") {
    return `No server is running on the data folder ${dataDir}: start it with \`npm start\`, set BURSAR_DATA_DIR to its folder, or choose a remote server with --profile.`;
  }
  return error.code === "ECONNRESET" ? BROKE_OFF : error.message;
}

function describeRemoteFailure(origin: string, error: NodeJS.ErrnoException): string {
  if (error.code === "ECONNRESET") return BROKE_OFF;
  const isCertificate = /CERT|SELF_SIGNED|ERR_TLS/.test(error.code ?? "");
  const hint = isCertificate
    ? " If your company has its own certificate authority, set NODE_EXTRA_CA_CERTS to its file."
    : "";
  return `${origin} cannot be reached: ${error.message}.${hint}`;
}

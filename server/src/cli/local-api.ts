import { request } from "node:http";
import { localSocketPath } from "#src/lib/local-socket.ts";

/** The Admin API's answer was an error: `exitCode` is what the command exits with. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.exitCode = exitCode;
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
  429: exitCodes.conflict,
};

const TIMEOUT_MS = 30_000;

export type CallApi = (
  method: "GET" | "POST" | "DELETE",
  path: string,
  body?: object,
) => Promise<unknown>;

/**
 * Calls the Admin API of the server that owns `dataDir` through its local socket: no key, the right to open the socket
 * is the authority. Throws CommandError with the server's own words, or when no server is running there.
 */
export function makeLocalApi(dataDir: string): CallApi {
  const socketPath = localSocketPath(dataDir, "admin.sock");
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers: Record<string, string> = { "user-agent": "bursar-cli" };
      if (payload !== undefined) {
        headers["content-type"] = "application/json";
        headers["content-length"] = String(Buffer.byteLength(payload));
      }
      const call = request(
        { socketPath, method, path, headers, timeout: TIMEOUT_MS },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            const status = response.statusCode ?? 0;
            if (status < 400) resolve(JSON.parse(text));
            else
              reject(
                new CommandError(errorMessage(text), exitCodeOfStatus[status] ?? exitCodes.error),
              );
          });
        },
      );
      call.on("timeout", () => call.destroy(new Error("the server did not answer in time")));
      call.on("error", (error) =>
        reject(new CommandError(noServer(dataDir, error), exitCodes.error)),
      );
      call.end(payload);
    });
}

function errorMessage(body: string): string {
  try {
    const parsed = JSON.parse(body) as { error?: { message?: string } };
    return parsed.error?.message ?? body;
  } catch {
    return body;
  }
}

function noServer(dataDir: string, error: NodeJS.ErrnoException): string {
  if (error.code === "EACCES") {
    return `This user may not open the admin socket in ${dataDir}: run the command as the user that runs the server.`;
  }
  if (error.code === "ENOENT" || error.code === "ECONNREFUSED") {
    return `No server is running on the data folder ${dataDir}: start it with \`npm start\`, or set BURSAR_DATA_DIR to its folder.`;
  }
  return error.message;
}

import type { IncomingMessage } from "node:http";
import { SimulatedError } from "./simulated-error.ts";

/** Official limit of `/v1/messages`. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Reads a body. Throws SimulatedError: 413 beyond the limit, 400 if it is encoded. Null: the client disconnected. */
export function readBody(request: IncomingMessage): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const encoding = request.headers["content-encoding"] ?? "identity";
    if (encoding !== "identity") {
      reject(new SimulatedError(400, `Unsupported content encoding: ${encoding}`));
      return;
    }
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BODY_BYTES) {
        chunks.push(chunk);
        return;
      }
      request.pause();
      reject(new SimulatedError(413, "Request exceeds the maximum size"));
    });
    request.on("end", () => resolve(Buffer.concat(chunks, bytes)));
    request.on("close", () => resolve(null));
    request.on("error", () => resolve(null));
  });
}

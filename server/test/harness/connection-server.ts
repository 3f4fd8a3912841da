import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { expect } from "vitest";
import type { ClientCall } from "#src/http1/client-call.ts";
import { makeClientConnections } from "#src/http1/client-connections.ts";
import { serveNodeRequest } from "#src/http1/node-call.ts";
import { makeTurnEnd, type TurnEnd } from "#src/lib/turn-end.ts";

export type Handler = (call: ClientCall) => void;

/** A server of the own readers, or of node:http. */
export interface ConnectionServer {
  port: number;
  sockets: Socket[];
  turnEnd: TurnEnd;
  /** Targets that node:http has served. */
  handedOver: string[];
  close(): void;
}

const REFUSAL = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/** Serves paths below `/v1/` with `handle`, and all others with node:http, which returns the SHA-256 of the body. */
export async function startConnectionServer(
  handle: Handler,
  reader: "sockets" | "node",
): Promise<ConnectionServer> {
  const handedOver: string[] = [];
  const http = createHttpServer((request, response) => {
    if (request.url?.startsWith("/v1/")) return serveNodeRequest(request, response, false, handle);
    handedOver.push(request.url ?? "");
    const hash = createHash("sha256");
    request.on("data", (chunk) => hash.update(chunk));
    request.on("end", () => response.end(hash.digest("hex")));
  });
  http.keepAliveTimeout = 75_000;
  const turnEnd = makeTurnEnd();
  const own = makeClientConnections({
    turnEnd,
    handles: (_, target) => target.startsWith("/v1/"),
    handle,
    handOver: (socket) => http.emit("connection", socket),
    formatRefusal: (code) => REFUSAL.replace("Bad Request", code),
  });
  const server: Server =
    reader === "node" ? http : createServer({ allowHalfOpen: true, noDelay: true }, own.accept);
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => void sockets.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    own.stop();
  };
  const { port } = server.address() as AddressInfo;
  return { port, sockets, turnEnd, handedOver, close };
}

/** A client that writes any bytes. */
export interface RawClient {
  socket: Socket;
  text(): string;
  /** Waits for the text. */
  until(text: string): Promise<void>;
  /** Waits for the end of the connection. */
  ended: Promise<unknown>;
}

export function connectRawClient(port: number): RawClient {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => undefined);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  return {
    socket,
    text: () => text,
    until: (expected) =>
      expect.poll(() => text, { timeout: 5_000, interval: 5 }).toContain(expected),
    ended: once(socket, "close"),
  };
}

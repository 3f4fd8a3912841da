import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { makeClientConnections } from "#src/http1/client-connections.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import { makeTurnEnd } from "#src/lib/turn-end.ts";
import { endAfterBody } from "./refused-bodies.ts";

const MB = 1024 * 1024;
/** Highest rate of all bodies together. */
const BYTES_PER_MS = 32 * 1024;

/** Starts a server that refuses each request before its body. Returns a function that sends one. */
async function startRefusing(): Promise<{ send: (bytes: number) => Socket; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const connections = makeClientConnections({
    turnEnd: makeTurnEnd(),
    handles: () => true,
    handle: (call) => {
      call.closeAfterwards();
      call.writeHead(429, FieldLines.fromList(["content-length", "2"]));
      call.write(Buffer.from("no"));
      endAfterBody(call);
    },
    handOver: (socket) => socket.destroy(),
    formatRefusal: () => "",
  });
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    connections.accept(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    connections.stop();
  });
  const send = (bytes: number): Socket => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
    const head = `POST /v1/messages HTTP/1.1\r\nhost: a\r\ncontent-length: ${bytes}\r\n\r\n`;
    socket.write(head);
    socket.write(Buffer.alloc(bytes));
    return socket;
  };
  return { send, sockets };
}

test("a lone refused body is read to its end, so that its client gets the response", async () => {
  const { send, sockets } = await startRefusing();
  const socket = send(8 * MB);
  let text = "";
  socket.on("data", (data: Buffer) => {
    text += data.toString();
  });
  await once(socket, "close");
  expect(text).toMatch(/^HTTP\/1\.1 429 .*no$/s);
  expect(sockets[0]?.bytesRead).toBeGreaterThanOrEqual(8 * MB);
});

test("refused bodies of many clients are read at one limited rate, and their clients get the response at once", async () => {
  const clients = 20;
  const { send, sockets } = await startRefusing();
  const startMs = performance.now();
  const answers = Array.from({ length: clients }, async () => {
    const [data] = (await once(send(16 * MB), "data")) as [Buffer];
    return data.toString().slice(9, 12);
  });
  expect(new Set(await Promise.all(answers))).toEqual(new Set(["429"]));
  const limitMs = startMs + 1_000;
  while (performance.now() < limitMs) await new Promise((resolve) => setImmediate(resolve));
  const readBytes = sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  const elapsedMs = performance.now() - startMs;
  // A paused connection has at most some buffers of 64 KB.
  expect(readBytes).toBeLessThan(clients * 512 * 1024 + MB + elapsedMs * BYTES_PER_MS);
});

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { FieldLines } from "#src/lib/field-lines.ts";
import { makeTurnEnd } from "#src/lib/turn-end.ts";
import { makeClientConnections } from "./client-connections.ts";

const MB = 1024 * 1024;
const REQUEST = "GET /v1/models HTTP/1.1\r\nhost: a\r\n\r\n";

let running = 0;

async function startServer(maxConnections: number) {
  running = 0;
  const connections = makeClientConnections({
    turnEnd: makeTurnEnd(),
    handles: () => true,
    handle: (call) => {
      running += 1;
      if (call.target === "/slow") return;
      call.writeHead(200, FieldLines.fromList(["content-length", "2"]));
      call.end("ok");
    },
    handOver: (socket) => socket.destroy(),
    formatRefusal: () => "",
    maxConnections,
  });
  const server = createServer({ allowHalfOpen: true }, connections.accept);
  server.listen(0, "0.0.0.0");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    connections.stop();
  });
  return async (localAddress: string, text: string): Promise<Socket> => {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    socket.on("error", () => undefined);
    sockets.push(socket);
    await once(socket, "connect");
    socket.write(text);
    return socket;
  };
}

test("idle connections of one address leave room for another, and the oldest are closed first", async () => {
  const open = await startServer(20);
  const hostile: Socket[] = [];
  for (let i = 0; i < 20; i++) {
    const socket = await open("127.0.0.2", REQUEST);
    await once(socket, "data");
    hostile.push(socket.resume());
  }
  const closed = hostile[0] ? once(hostile[0], "close") : Promise.reject(new Error("none"));
  for (let i = 0; i < 10; i++) {
    const [data] = await once(await open("127.0.0.1", REQUEST), "data");
    expect(String(data)).toMatch(/^HTTP\/1\.1 200 /);
  }
  await closed;
  expect(hostile.at(-1)?.closed).toBe(false);
});

test("partial heads of one address leave room for another", async () => {
  const open = await startServer(8);
  for (let i = 0; i < 8; i++) await open("127.0.0.2", "GET /v1/models HTTP/1.1\r\n");
  const [data] = await once(await open("127.0.0.1", REQUEST), "data");
  expect(String(data)).toMatch(/^HTTP\/1\.1 200 /);
});

test("a running request is not closed for a new connection", async () => {
  const open = await startServer(2);
  const slow = REQUEST.replace("/v1/models", "/slow");
  const slowOnes = [await open("127.0.0.1", slow), await open("127.0.0.1", slow)];
  await expect.poll(() => running).toBe(2);
  const refused = await open("127.0.0.1", REQUEST);
  await once(refused.resume(), "close");
  expect(slowOnes.map(({ closed }) => closed)).toEqual([false, false]);
});

test("large bodies of many clients are read in turns of the event loop that other requests do not wait for", async () => {
  const clients = 16;
  const bytes = 8 * MB;
  const perTurn = new Map<number, number>();
  let turn = 0;
  let received = 0;
  const server = startBodyServer((chunk) => {
    received += chunk.length;
    perTurn.set(turn, (perTurn.get(turn) ?? 0) + chunk.length);
  });
  const port = await server.port;
  const countTurns = (): void => {
    turn += 1;
    if (received < clients * bytes) setImmediate(countTurns);
  };
  countTurns();
  const ends: Promise<unknown>[] = [];
  for (let i = 0; i < clients; i++) {
    const socket = connect({ port, host: "127.0.0.1" });
    onTestFinished(() => void socket.destroy());
    socket.write(`POST /v1/messages HTTP/1.1\r\nhost: a\r\ncontent-length: ${bytes}\r\n\r\n`);
    socket.write(Buffer.alloc(bytes));
    ends.push(once(socket, "data"));
  }
  await Promise.all(ends);
  expect(received).toBe(clients * bytes);
  expect(Math.max(...perTurn.values())).toBeLessThan(4 * MB);
});

/** Starts a server that reads each body and then answers. */
function startBodyServer(onData: (chunk: Buffer) => void): { port: Promise<number> } {
  const connections = makeClientConnections({
    turnEnd: makeTurnEnd(),
    handles: () => true,
    handle: (call) => {
      call.readBody({
        onData,
        onEnd: () => {
          call.writeHead(200, FieldLines.fromList(["content-length", "2"]));
          call.end("ok");
        },
        onGone: () => undefined,
      });
    },
    handOver: (socket) => socket.destroy(),
    formatRefusal: () => "",
  });
  const server = createServer({ allowHalfOpen: true }, connections.accept);
  server.listen(0, "127.0.0.1");
  onTestFinished(() => {
    server.close();
    connections.stop();
  });
  const port = once(server, "listening").then(() => (server.address() as AddressInfo).port);
  return { port };
}

import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { limitConnections } from "./limit-connections.ts";

const REQUEST = "GET /fast HTTP/1.1\r\nhost: a\r\n\r\n";

async function startServer(maxConnections: number) {
  const server = createServer((request, response) => {
    if (request.url === "/fast") response.end("ok");
    else response.write("slow");
  });
  limitConnections(server, "connection", maxConnections);
  server.listen(0, "0.0.0.0");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return async (localAddress: string, text: string): Promise<Socket> => {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(text);
    return socket;
  };
}

test("with node:http, idle connections of one address leave room for another, and running requests stay", async () => {
  const open = await startServer(20);
  const running = await open("127.0.0.2", "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n");
  await once(running, "data");
  const idle: Socket[] = [];
  for (let i = 0; i < 19; i++) {
    const socket = await open("127.0.0.2", REQUEST);
    await once(socket, "data");
    idle.push(socket);
  }
  const closed = once(idle[0] as Socket, "close");
  const other = await open("127.0.0.3", REQUEST);
  const [data] = (await once(other, "data")) as [Buffer];
  expect(data.toString()).toMatch(/^HTTP\/1\.1 200 OK/);
  await closed;
  expect(running.destroyed).toBe(false);
});

test("connections that have sent nothing are closed too", async () => {
  const open = await startServer(4);
  const silent: Socket[] = [];
  for (let i = 0; i < 4; i++) silent.push((await open("127.0.0.2", "")).resume());
  const closed = once(silent[0] as Socket, "close");
  await once(await open("127.0.0.3", REQUEST), "data");
  await closed;
});

import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Finds a loopback port that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (!address || typeof address === "string") throw new Error("the system assigned no port");
  return address.port;
}

const POLL_MS = 50;

/** Waits until `GET path` returns 200. Throws after `timeoutMs`, or when `isAlive` returns false. */
export async function waitUntilReady(wait: {
  port: number;
  path: string;
  timeoutMs: number;
  isAlive: () => boolean;
}): Promise<void> {
  const giveUpAt = Date.now() + wait.timeoutMs;
  while ((await statusOf(wait.port, wait.path)) !== 200) {
    if (!wait.isAlive()) throw new Error("the process ended while starting");
    if (Date.now() > giveUpAt)
      throw new Error(`the process was not ready after ${wait.timeoutMs} ms`);
    await sleep(POLL_MS);
  }
}

function statusOf(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const call = request({ host: "127.0.0.1", port, path, timeout: 2_000, agent: false });
    call.on("response", (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on("timeout", () => call.destroy());
    call.on("close", () => resolve(undefined));
    call.on("error", () => {}); // "close" follows
    call.end();
  });
}

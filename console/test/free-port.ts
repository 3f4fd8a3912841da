import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below the ports that systems assign to listeners and outgoing connections. */
const PORTS = { from: 20_000, to: 30_000 };
const MAX_TRIES = 50;

/**
 * Returns a free port that no other process gets by chance. A restarted server must keep its port, while other
 * servers start.
 */
export async function findFreePort(): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (await isFree(port)) return port;
  }
  throw new Error("no port is free");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FieldLines } from "#src/lib/field-lines.ts";
import { type HttpRequest, requestWhole } from "#src/lib/http-client.ts";
import { makeTurnEnd } from "#src/lib/turn-end.ts";
import { startSimulator } from "#src/simulator/server.ts";
import { makeSimulatorUpstream } from "./simulator.ts";

const REQUESTS = 1_500;

test.skipIf(process.platform === "win32").each([
  ["undici", null],
  ["sockets", makeTurnEnd()],
])(
  "the client over %s answers every request of a burst that fills the queue of the simulator's socket",
  async (_, turnEnd) => {
    const folder = mkdtempSync(join(tmpdir(), "bursar-simulator-"));
    const simulator = await startSimulator({ socketPath: join(folder, "s.sock") });
    const options = { idleTimeoutMs: 60_000, turnEnd };
    const { client } = makeSimulatorUpstream(simulator.address, options);
    const sendRequest = async () => {
      const hello: HttpRequest = {
        path: "/api/hello",
        method: "HEAD",
        headers: new FieldLines(),
        body: null,
        headersTimeoutMs: null,
      };
      return (await requestWhole(client, hello, { maxBytes: 0 })).status;
    };
    const statuses = await Promise.all(Array.from({ length: REQUESTS }, sendRequest));
    expect(statuses.filter((status) => status === 200)).toHaveLength(REQUESTS);
    await client.destroy();
    await simulator.close();
    rmSync(folder, { recursive: true });
  },
);

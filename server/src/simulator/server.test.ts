import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { hello, startTestSimulator } from "#test/harness/simulator.ts";
import type { SimulatedModel } from "./models.ts";
import { startSimulator } from "./server.ts";

const simulator = await startTestSimulator();
const { post, get, received } = simulator;
afterAll(() => simulator.close());

describe("models", () => {
  const list = async (query: string) => JSON.parse((await get(`/v1/models?${query}`)).text);
  test("are paged in both directions", async () => {
    const all = await list("limit=1000");
    const ids = all.data.map((model: SimulatedModel) => model.id);
    expect(all).toMatchObject({ has_more: false, first_id: ids[0], last_id: ids.at(-1) });
    const page = await list(`limit=3&after_id=${ids[1]}`);
    expect(page.data.map((model: SimulatedModel) => model.id)).toEqual(ids.slice(2, 5));
    expect(page.has_more).toBe(true);
    const back = await list(`limit=3&before_id=${ids[4]}`);
    expect(back.data.map((model: SimulatedModel) => model.id)).toEqual(ids.slice(1, 4));
    expect(back.has_more).toBe(true);
  });

  test("include retired ones only on request, and reject an invalid limit", async () => {
    const shown = (await list("limit=1000")).data.map((model: SimulatedModel) => model.lifecycle);
    expect(new Set(shown)).toEqual(new Set(["active", "deprecated"]));
    const retired = await list("lifecycle%5B%5D=retired");
    expect(retired.data.map((model: SimulatedModel) => model.id)).toContain(
      "claude-3-5-sonnet-20241022",
    );
    expect((await get("/v1/models?limit=0")).status).toBe(400);
  });
});

describe("the log of requests", () => {
  test("counts each message and stores user ids, except of refused ones", async () => {
    const before = await received();
    for (const id of ["a", "b"]) await post({ ...hello, model: "m", metadata: { user_id: id } });
    await post("{");
    await post({ ...hello, model: "m" }, "/v1/messages/count_tokens");
    const after = await received();
    expect(after.count - before.count).toBe(3);
    expect(after.user_ids.slice(-2)).toEqual(["a", "b"]);
    expect(JSON.parse((await get("/simulator/requests?last=1")).text).user_ids).toEqual(["b"]);
  });
});

describe("listening", () => {
  test("uses a socket only for its owner, and replaces one of a killed process", async () => {
    const folder = mkdtempSync(join(tmpdir(), "simulator-"));
    const socketPath = join(folder, "s.sock");
    const first = await startSimulator({ socketPath });
    expect(first.address).toEqual({ socketPath });
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    const second = await startSimulator({ socketPath });
    const asked = httpRequest({ socketPath, path: "/api/hello", method: "HEAD" }).end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    await second.close();
    await first.close();
    writeFileSync(socketPath, "not a socket");
    await expect(startSimulator({ socketPath })).rejects.toThrow("EADDRINUSE");
    rmSync(folder, { recursive: true });
  });

  test("closing ends running responses", async () => {
    const own = await startTestSimulator();
    const response = await own.open({ ...hello, model: "simulate-hang-1", stream: true });
    const ended = new Promise((resolve) => response.on("close", resolve));
    response.on("error", () => {});
    response.resume();
    await own.close();
    await ended;
  });
});

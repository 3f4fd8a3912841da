import { once } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { messageJson } from "#test/harness/fake-upstream.ts";
import { call, messageBody, start, type TestGateway, withKey } from "#test/harness/gateway.ts";
import { connectRaw, startBoth, untilRunning } from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";

const MB = 1024 * 1024;
const TOTAL_BYTES = 128 * MB;
/** Three quarters of half of the total: the share of a lone key. */
const SHARE_BYTES = 48 * MB;
const PROBE_MS = 50;

describeEachReader(() => {
  describe("fair shares", () => {
    test("32 stalled 32 MB bodies of one key leave another workspace without a 529", async () => {
      const { upstream, gateway } = await startBoth({ maxHeldBodyBytes: TOTAL_BYTES });
      const hostile = gateway.addKey({ id: "apikey_hostile", workspaceId: "wksp_hostile" });
      const refused = stallBodies(gateway, hostile, { count: 32, bytes: 8 * MB });
      // More than six of these bodies exceed the share of the key, so its other requests are refused.
      expect(await refused(26)).toEqual(new Set([429]));
      const body = messageBody({ system: "x".repeat(20 * MB) });
      for (let i = 0; i < 3; i++) {
        const answer = await call(gateway.origin, { headers: withKey(gateway.secret), body });
        expect(answer.status).toBe(200);
      }
      expect(upstream.received).toHaveLength(3);
    });

    test("the refusal is a 429 in the official body that names the share and its owner", async () => {
      const { gateway } = await startBoth({ maxHeldBodyBytes: TOTAL_BYTES });
      const held = connectRaw(gateway, `content-length: ${32 * MB}\r\n\r\n`);
      onTestFinished(() => void held.destroy());
      held.write(Buffer.alloc(20 * MB, " "));
      const headers = withKey(gateway.secret);
      const large = { headers, body: " ".repeat(32 * MB) };
      await untilRefused(gateway, 32 * MB);
      let answer = await call(gateway.origin, large);
      expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "1"]);
      expect(answer.headers["x-should-retry"]).toBeUndefined();
      const { error } = JSON.parse(answer.text);
      expect(error).toEqual({
        type: "rate_limit_error",
        message: expect.stringMatching(
          /^Your API key already has its share of .* bytes of request/,
        ),
        details: {
          error_code: "share_exhausted",
          retry_after_seconds: 1,
          share: {
            kind: "body_bytes",
            scope: { type: "api_key", api_key_id: "apikey_test" },
            used: expect.any(Number),
            most: SHARE_BYTES,
          },
        },
      });
      // The bytes are free again when the client leaves.
      held.destroy();
      while (answer.status === 429) answer = await call(gateway.origin, large);
      expect(answer.status).toBe(400);
    });

    test("one key cannot take all running requests of its workspace, and one workspace not all of the server", async () => {
      const { upstream, gateway } = await startBoth({ maxInFlight: 16, script: () => undefined });
      const keys = (id: string, workspaceId = "wksp_hostile") =>
        withKey(gateway.addKey({ id, workspaceId }));
      const [first, second] = [keys("apikey_1"), keys("apikey_2")];
      const run = (headers: Record<string, string>) =>
        start(gateway.origin, { headers, body: messageBody() });
      const refusalOf = async (headers: Record<string, string>) => {
        const { status, text } = await call(gateway.origin, { headers, body: messageBody() });
        return [status, JSON.parse(text).error.details.share];
      };
      const kind = "running_requests";
      for (let i = 0; i < 6; i++) run(first);
      await untilRunning(gateway, 6);
      const ofKey = { type: "api_key", api_key_id: "apikey_1" };
      expect(await refusalOf(first)).toEqual([429, { kind, scope: ofKey, used: 6, most: 6 }]);
      run(second);
      await untilRunning(gateway, 7);
      run(keys("apikey_3"));
      await untilRunning(gateway, 8);
      const ofWorkspace = { type: "workspace", workspace_id: "wksp_hostile" };
      expect(await refusalOf(keys("apikey_4"))).toEqual([
        429,
        { kind, scope: ofWorkspace, used: 8, most: 8 },
      ]);
      upstream.script = (exchange) => exchange.json(messageJson());
      const answer = await call(gateway.origin, {
        headers: keys("apikey_5", "wksp_other"),
        body: messageBody(),
      });
      expect(answer.status).toBe(200);
    });

    test("requests without a valid key take no place of others, however long their clients stay", async () => {
      const { gateway } = await startBoth({ maxInFlight: 4 });
      const sockets = Array.from({ length: 8 }, () =>
        connectRaw(gateway, `content-length: ${MB}\r\n\r\n{`, "sk-invalid"),
      );
      onTestFinished(() => {
        for (const socket of sockets) socket.destroy();
      });
      await Promise.all(sockets.map((socket) => once(socket, "data")));
      const answer = await call(gateway.origin, {
        headers: withKey(gateway.secret),
        body: messageBody(),
      });
      expect(answer.status).toBe(200);
    });
  });
});

/**
 * Waits until a body of this length has no room. A request that declares it then gets its response at once. A sent
 * body could take the room of another one that still arrives.
 */
async function untilRefused(gateway: TestGateway, bytes: number): Promise<void> {
  for (let isRefused = false; !isRefused; ) {
    const socket = connectRaw(gateway, `content-length: ${bytes}\r\n\r\n`);
    const answered = once(socket, "data").then(() => true);
    isRefused = await Promise.race([answered, delay(PROBE_MS, false)]);
    socket.destroy();
  }
}

/** Opens connections that send a part of a body and stop. The result waits for responses and returns their statuses. */
function stallBodies(
  gateway: TestGateway,
  secret: string,
  { count, bytes }: { count: number; bytes: number },
): (responses: number) => Promise<Set<number>> {
  const statuses: number[] = [];
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = connectRaw(gateway, `content-length: ${32 * MB}\r\n\r\n`, secret);
    socket.on("data", (data) => {
      const status = /^HTTP\/1\.1 (\d+)/.exec(String(data))?.[1];
      if (status !== undefined) statuses.push(Number(status));
    });
    socket.write(Buffer.alloc(bytes, " "));
    sockets.push(socket);
  }
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  return async (responses) => {
    await expect.poll(() => statuses.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(responses);
    return new Set(statuses);
  };
}

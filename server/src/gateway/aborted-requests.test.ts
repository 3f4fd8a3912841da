import { once } from "node:events";
import { describe, expect, test } from "vitest";
import {
  blockStart,
  type Exchange,
  messageEvents,
  messageJson,
  messageStart,
  sse,
  textDelta,
} from "#test/harness/fake-upstream.ts";
import { open, start, type TestGateway } from "#test/harness/gateway.ts";
import { cost, post, startBoth, usageOf } from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";

describeEachReader(() => {
  describe("a client that leaves", () => {
    test("before a JSON response: the upstream is read to its end and billed exactly", async () => {
      const { upstream, gateway } = await startBoth({ script: () => undefined });
      const arrived = upstream.nextExchange();
      const left = leave(gateway, {});
      const exchange = await arrived;
      await left();
      exchange.json(messageJson({ usage: { input_tokens: 40, output_tokens: 30 } }));
      await exchange.closed;
      expect(exchange.isCut()).toBe(false);
      const end = await gateway.end();
      expect(end).toMatchObject({
        outcome: "answered",
        httpStatus: null,
        isEstimated: false,
        usage: usageOf(40, 30),
      });
      expect(end.cost.total).toBe(cost(40, 30));
    });

    test("after the first event of a stream: the upstream call ends, input is exact, and bytes bound the output", async () => {
      const { end, exchange } = await leaveStream({ max_tokens: 100 }, ["seven c", "hars"]);
      expect(exchange.isCut()).toBe(true);
      expect(end).toMatchObject({
        outcome: "aborted",
        httpStatus: 200,
        isEstimated: true,
        usage: usageOf(10, 11),
      });
    });

    test("after the start of a search: the search is billed", async () => {
      const search = { type: "server_tool_use", id: "s", name: "web_search", input: {} };
      const { end } = await leaveStream({ max_tokens: 5 }, ["12345"], [search]);
      expect(end.usage).toEqual({ ...usageOf(10, 5), webSearches: 1 });
    });

    test("during a stream: the estimate never exceeds max_tokens", async () => {
      const { end } = await leaveStream({ max_tokens: 5 }, ["more than five bytes"]);
      expect(end.usage).toEqual(usageOf(10, 5));
    });

    test("during possible hidden thinking: max_tokens is the only bound", async () => {
      const thinking = { type: "enabled", budget_tokens: 1024 };
      const { end } = await leaveStream({ max_tokens: 2000, thinking }, ["short"]);
      expect(end.usage).toEqual(usageOf(10, 2000));
    });

    test("before the first event of a stream: the upstream call ends when its input is known", async () => {
      const { upstream, gateway } = await startBoth({ script: () => undefined });
      const arrived = upstream.nextExchange();
      const left = leave(gateway, { stream: true });
      const exchange = await arrived;
      await left();
      exchange.startStream();
      await exchange.write(sse("ping", {}));
      expect(exchange.isCut()).toBe(false);
      await exchange.write(messageStart({ input_tokens: 77 }));
      await exchange.closed;
      expect(exchange.isCut()).toBe(true);
      expect(await gateway.end()).toMatchObject({
        outcome: "aborted",
        httpStatus: null,
        isEstimated: true,
        usage: usageOf(77, 1),
      });
    });

    test("after the last event: the response is complete, and nothing is estimated", async () => {
      const { gateway } = await startBoth({
        script: (exchange) => exchange.stream(messageEvents()),
      });
      const response = await open(gateway.origin, post(gateway, { stream: true }));
      for await (const chunk of response) if (String(chunk).includes("message_stop")) break;
      expect(await gateway.end()).toMatchObject({ outcome: "answered", isEstimated: false });
    });

    /** Sends a request. The returned function disconnects the client, and waits until the gateway has noticed it. */
    function leave(gateway: TestGateway, fields: object): () => Promise<void> {
      const sent = start(gateway.origin, post(gateway, fields));
      return async () => {
        const socket = gateway.clientSockets.at(-1);
        if (!socket) throw new Error("no client");
        const gone = once(socket, "close");
        sent.destroy();
        await gone;
      };
    }

    async function leaveStream(
      fields: object,
      texts: readonly string[],
      blocks: readonly object[] = [],
    ) {
      const { upstream, gateway } = await startBoth({
        script: async (exchange) => {
          exchange.startStream();
          const starts = blocks.map((content_block) =>
            sse("content_block_start", { content_block }),
          );
          const events = [messageStart(), ...starts, blockStart, ...texts.map(textDelta)];
          await exchange.write(events.join(""));
        },
      });
      const arrived = upstream.nextExchange();
      const response = await open(gateway.origin, post(gateway, { stream: true, ...fields }));
      const exchange: Exchange = await arrived;
      let text = "";
      for await (const chunk of response) {
        text += String(chunk);
        if (text.endsWith(textDelta(texts.at(-1) ?? ""))) break;
      }
      response.destroy();
      await exchange.closed;
      return { end: await gateway.end(), exchange };
    }
  });
});

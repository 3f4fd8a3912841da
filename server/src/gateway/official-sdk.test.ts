import Current from "@anthropic-ai/sdk";
import Previous from "anthropic-sdk-previous";
import { afterAll, describe, expect } from "vitest";
import { messageEvents, messageJson } from "#test/harness/fake-upstream.ts";
import {
  ORGANIZATION_ID,
  startTestGateway,
  type TestGateway,
  UPSTREAM_CREDENTIAL,
  WORKSPACE_ID,
} from "#test/harness/gateway.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { test } from "#test/harness/upstream-test.ts";

describeEachReader(() => {
  let gateway: TestGateway;
  test.beforeAll(async ({ upstream }) => {
    gateway = await startTestGateway({ origin: upstream.origin });
  });
  afterAll(async () => {
    await gateway.close();
  });
  test.beforeEach(({ upstream }) => {
    upstream.received.splice(0);
    gateway.ends.splice(0);
  });

  const request = {
    model: "claude-3-5-sonnet-20241022",
    max_tokens: 1000,
    messages: [{ role: "user" as const, content: "Hello" }],
  };

  describe.each([
    ["the current one (Bearer)", Current],
    ["the previous one (x-api-key)", Previous],
  ])("official SDK, %s", (_, Sdk) => {
    const makeClient = (apiKey: string) =>
      new Sdk({ apiKey, baseURL: gateway.origin, maxRetries: 0 }) as Current;

    test("creates a message, and forwards an old model name unchanged", async ({ upstream }) => {
      upstream.script = (exchange) => exchange.json(messageJson({ text: "Hi there" }));
      const call = makeClient(gateway.secret).messages.create(request);
      const { data: message, response, request_id: requestId } = await call.withResponse();
      expect(message.content).toMatchObject([{ type: "text", text: "Hi there" }]);
      expect(requestId).toBe("req_upstream");
      expect(response.headers.get("anthropic-organization-id")).toBe(ORGANIZATION_ID);
      expect(response.headers.get("anthropic-workspace-id")).toBe(WORKSPACE_ID);
      const [received] = upstream.received;
      expect(JSON.parse(String(received?.body))).toEqual(request);
      expect(received?.headers["x-api-key"]).toBe(UPSTREAM_CREDENTIAL);
      expect(received?.headers.authorization).toBe(undefined);
      expect(await gateway.end()).toMatchObject({
        requestedModel: "claude-3-5-sonnet-20241022",
        client: "anthropic-typescript",
        usage: { inputTokens: 10, outputTokens: 5 },
      });
    });

    test("streams a message", async ({ upstream }) => {
      upstream.script = (exchange) => exchange.stream(messageEvents(3, { output_tokens: 9 }));
      const stream = makeClient(gateway.secret).messages.stream(request);
      const message = await stream.finalMessage();
      expect(message.content).toMatchObject([{ type: "text", text: "word 0 word 1 word 2 " }]);
      expect(message.usage.output_tokens).toBe(9);
      expect(await gateway.end()).toMatchObject({ outcome: "answered", isStream: true });
    });

    test("counts tokens and lists models", async ({ upstream }) => {
      upstream.script = (exchange) => exchange.json({ input_tokens: 12 });
      const client = makeClient(gateway.secret);
      const { model, messages } = request;
      expect((await client.messages.countTokens({ model, messages })).input_tokens).toBe(12);
      const page = { data: [{ id: "claude-a", type: "model" }], has_more: false };
      upstream.script = (exchange) => exchange.json(page);
      const ids: string[] = [];
      for await (const one of client.models.list()) ids.push(one.id);
      expect(ids).toEqual(["claude-a"]);
      expect(gateway.ends).toEqual([]);
    });

    test("a wrong key is an AuthenticationError with the gateway's request id", async () => {
      const failed = makeClient("sk-ant-api03-wrong").messages.create(request);
      await expect(failed).rejects.toMatchObject({
        status: 401,
        error: { error: { type: "authentication_error" } },
        requestID: expect.stringMatching(/^req_/),
      });
    });

    test("an abort during a stream also ends the upstream's stream", async ({ upstream }) => {
      const arrived = upstream.nextExchange();
      upstream.script = async (exchange) => {
        exchange.startStream();
        for (const event of messageEvents(2).slice(0, 4)) await exchange.write(event);
      };
      const stream = makeClient(gateway.secret).messages.stream(request);
      stream.on("text", () => stream.abort());
      await expect(stream.finalMessage()).rejects.toThrow(/aborted/i);
      const exchange = await arrived;
      await exchange.closed;
      expect(exchange.isCut()).toBe(true);
      expect((await gateway.end()).outcome).toBe("aborted");
    });
  });
});

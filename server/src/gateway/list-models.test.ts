import { describe, expect } from "vitest";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { Script } from "#test/harness/fake-upstream.ts";
import { call, type TestGateway, withKey } from "#test/harness/gateway.ts";
import { startBoth } from "#test/harness/gateway-calls.ts";
import { describeEachReader } from "#test/harness/http-readers.ts";
import { test } from "#test/harness/upstream-test.ts";

const IDS = ["claude-opus-5-5", "claude-sonnet-5-5", "claude-opus-5", "claude-haiku-4-5-20251001"];
const models = IDS.map((id) => ({ type: "model", id, display_name: id, max_input_tokens: 7 }));
const whole = { data: models, has_more: false, first_id: IDS[0], last_id: IDS[3] };
const script: Script = (exchange) => exchange.json(whole);
const allowedModels = ["claude-sonnet-5-5", "claude-haiku-*"];

function get(gateway: TestGateway, path: string, key: Partial<FoundKey> = { allowedModels }) {
  return call(gateway.origin, { method: "GET", path, headers: withKey(gateway.addKey(key)) });
}

describeEachReader(() => {
  describe("the list of models", () => {
    test("has only the models that the key may call, in the upstream's words", async () => {
      const { gateway, upstream } = await startBoth({ script });
      const answer = await get(gateway, "/v1/models?beta=true&limit=10");
      expect([answer.status, JSON.parse(answer.text)]).toEqual([
        200,
        { data: [models[1], models[3]], has_more: false, first_id: IDS[1], last_id: IDS[3] },
      ]);
      expect(upstream.received.map(({ url }) => url)).toEqual(["/v1/models?beta=true&limit=1000"]);
      expect(gateway.observed.map(({ outcome }) => outcome)).toEqual(["answered"]);
      expect(gateway.gateway.stats().inFlight).toBe(0);
    });

    test("has pages of the asked length, which continue after any model of the upstream", async () => {
      const { gateway } = await startBoth({ script });
      const page = async (query: string) => {
        const { data, has_more } = JSON.parse((await get(gateway, `/v1/models?${query}`)).text);
        return [data.map(({ id }: { id: string }) => id), has_more];
      };
      expect(await page("limit=1")).toEqual([[IDS[1]], true]);
      expect(await page(`limit=1&after_id=${IDS[1]}`)).toEqual([[IDS[3]], false]);
      expect(await page(`after_id=${IDS[2]}`)).toEqual([[IDS[3]], false]);
      expect(await page(`limit=1&before_id=${IDS[3]}`)).toEqual([[IDS[1]], false]);
    });

    test.each(["limit=0", "limit=1001", "limit=x", "after_id=a&before_id=b", "after_id=unknown"])(
      "refuses %s",
      async (query) => {
        const { gateway } = await startBoth({ script });
        const { status, text } = await get(gateway, `/v1/models?${query}`);
        expect([status, JSON.parse(text).error.type]).toEqual([400, "invalid_request_error"]);
      },
    );

    test("reads all pages of the upstream", async () => {
      const { gateway } = await startBoth({
        script: (exchange) => {
          const isSecond = exchange.received.url.includes(`after_id=${IDS[1]}`);
          const data = isSecond ? models.slice(2) : models.slice(0, 2);
          exchange.json({ ...whole, data, has_more: !isSecond });
        },
      });
      const { data } = JSON.parse((await get(gateway, "/v1/models")).text);
      expect(data).toEqual([models[1], models[3]]);
    });

    test("keeps its bytes for a key without a list", async () => {
      const { gateway } = await startBoth({ script });
      const answer = await get(gateway, "/v1/models", { allowedModels: null });
      expect(answer.text).toBe(JSON.stringify(whole));
    });

    test("passes the upstream's error", async () => {
      const error = { type: "error", error: { type: "api_error", message: "no" } };
      const { gateway } = await startBoth({
        script: (exchange) => exchange.json(error, { status: 500 }),
      });
      const { status, text } = await get(gateway, "/v1/models");
      expect([status, text]).toEqual([500, JSON.stringify(error)]);
    });

    test("is a 502 for an unknown form and a broken connection", async () => {
      const { gateway, upstream } = await startBoth({ script: (exchange) => exchange.json({}) });
      expect((await get(gateway, "/v1/models")).status).toBe(502);
      upstream.script = (exchange) => exchange.reset();
      expect((await get(gateway, "/v1/models")).status).toBe(502);
    });
  });

  test("a model that the key may not call is the official 404", async () => {
    const { gateway, upstream } = await startBoth({
      script: (exchange) => exchange.json(models[1]),
    });
    const { status, text } = await get(gateway, "/v1/models/claude-opus-5-5");
    expect([status, JSON.parse(text).error]).toEqual([
      404,
      {
        type: "not_found_error",
        message: "model: claude-opus-5-5",
        details: { error_code: "resource_not_found", resource: "model" },
      },
    ]);
    expect(upstream.received).toEqual([]);
    expect((await get(gateway, "/v1/models/claude-sonnet-5-5")).text).toBe(
      JSON.stringify(models[1]),
    );
  });
});

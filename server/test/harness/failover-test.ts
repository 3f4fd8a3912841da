import { test as base } from "vitest";
import { startFakeUpstream } from "./fake-upstream.ts";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "./gateway.ts";

/** Silence of an upstream that ends a request, milliseconds. */
const IDLE_MS = 400;

/** Tests with two fake upstreams, and a gateway that tries the given origins in turn. */
export const test = base
  .extend("pair", async ({}, { onCleanup }) => {
    const pair = [await startFakeUpstream(), await startFakeUpstream()] as const;
    onCleanup(async () => {
      await Promise.all(pair.map((each) => each.close()));
    });
    return pair;
  })
  .extend("start", ({}, { onCleanup }) => {
    const started: TestGateway[] = [];
    onCleanup(async () => {
      await Promise.all(started.map((gateway) => gateway.close()));
    });
    return async (origins: readonly string[], options: Partial<TestGatewayOptions> = {}) => {
      const [origin = "", ...others] = origins;
      const defaults = { origin, others, idleTimeoutMs: IDLE_MS };
      const gateway = await startTestGateway({ ...defaults, ...options });
      started.push(gateway);
      return gateway;
    };
  });

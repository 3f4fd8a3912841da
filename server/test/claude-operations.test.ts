import Anthropic from "@anthropic-ai/sdk";
import { describe, expect } from "vitest";
import { makeOperationRuns } from "#test/harness/claude-operations.ts";
import { test as base } from "#test/harness/product-test.ts";

// Each operation of the official SDK on messages, batches, files, skills and models, through a whole server. The test of
// the simulator compares the list with the SDK.

const names = Object.keys(makeOperationRuns(new Anthropic({ apiKey: "none" })));

const test = base.extend("runs", { scope: "file" }, async ({ server }) => {
  const { key } = await server.workspaceWithKey({ name: "Operations" });
  return makeOperationRuns(new Anthropic({ apiKey: key, baseURL: server.url, maxRetries: 0 }));
});

describe("the official SDK", () => {
  test("has 53 operations", () => {
    expect(names).toHaveLength(53);
  });

  test.concurrent.for(names)("%s passes", async (name, { runs }) => {
    await runs[name]?.();
  });
});

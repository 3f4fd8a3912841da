import type { storedBatch } from "@bursar/contract/admin/message-batches.ts";
import type { z } from "zod";
import { test as base } from "./admin-test.ts";
import { type Owner, storeBatch } from "./stored-objects.ts";

// Message batches that people see and end, at a stand-in for their upstream.

export const BATCHES = "/v1/admin/message_batches";
export type Batch = z.output<typeof storedBatch>;
type Stored = Parameters<typeof storeBatch>[2];

export const test = base
  .extend("standIn", ({ h }) => {
    h.upstream.reset();
    return h.upstream;
  })
  .extend("owner", async ({ org, workspaceId }): Promise<Omit<Owner, "atMs">> => {
    const { id } = await org.admin.createApiKey(workspaceId, { name: "Nightly" });
    return { organizationId: org.id, workspaceId, apiKeyId: id };
  })
  .extend("store", ({ h, owner }) => (batch?: Stored, of: Partial<Owner> = {}) => {
    h.clock.nowMs += 1_000;
    return storeBatch(h.deps.database, { ...owner, atMs: h.clock.nowMs, ...of }, batch);
  });

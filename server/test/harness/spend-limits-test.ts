import type { spendLimit } from "@bursar/contract/admin/spend-limits.ts";
import type { WireScope } from "@bursar/contract/scope.ts";
import { expect } from "vitest";
import type { z } from "zod";
import type { PeriodName } from "#src/db/tables.ts";
import type { Client, Listed } from "./admin.ts";
import { test as base } from "./admin-test.ts";

// Spend limits over HTTP, for one workspace with one key.

export const LIMITS = "/v1/admin/spend_limits";
export type Limit = z.output<typeof spendLimit>;

export const test = base.extend("limits", ({ h, org, workspaceId, apiKeyId }) => {
  /** Each kind of scope that every request has. */
  const scopes: Record<"organization" | "workspace" | "api_key", WireScope> = {
    organization: { type: "organization" },
    workspace: { type: "workspace", workspace_id: workspaceId },
    api_key: { type: "api_key", api_key_id: apiKeyId },
  };

  /** Creates a limit one millisecond after the previous one. */
  function set(scope: unknown, fields: object = {}, client: Client = org.admin) {
    h.clock.nowMs++;
    return client.post<Limit>(LIMITS, { scope, period: "monthly", limit_usd: 25, ...fields });
  }

  const get = (id: string, client: Client = org.admin) => client.get<Limit>(`${LIMITS}/${id}`);

  const remove = (id: string, client: Client = org.admin) =>
    client.remove<{ id: string; type: string }>(`${LIMITS}/${id}`);

  async function idsOf(query = "", client: Client = org.admin): Promise<string[]> {
    const { status, body } = await client.get<Listed<Limit>>(`${LIMITS}${query}`);
    expect(status).toBe(200);
    return body.data.map(({ id }) => id);
  }

  async function workspaceAdmin(id = workspaceId): Promise<Client> {
    return h.as((await org.admin.createApiKey(id, { permissions: ["admin"] })).key);
  }

  /** Inserts a balance. */
  async function balance(
    scope: "organization" | "workspace" | "api_key",
    of: { period: PeriodName; periodStart: string },
    nanoUsd: { settled?: bigint; leased?: bigint; unresolved?: bigint },
  ): Promise<void> {
    const scopeIds = { organization: org.id, workspace: workspaceId, api_key: apiKeyId };
    await h.deps.database
      .insertInto("balance")
      .values({
        scope_type: scope,
        scope_id: scopeIds[scope],
        period: of.period,
        period_start: of.periodStart,
        organization_id: org.id,
        settled_nano_usd: nanoUsd.settled ?? 0n,
        leased_nano_usd: nanoUsd.leased ?? 0n,
        unresolved_nano_usd: nanoUsd.unresolved ?? 0n,
      })
      .execute();
  }

  /** Ids by scope and period. */
  async function makeFive() {
    const elsewhere = (await org.admin.createWorkspace()).id;
    const ids = {
      organization: (await set(scopes.organization)).body.id,
      workspace: (await set(scopes.workspace)).body.id,
      workspaceDaily: (await set(scopes.workspace, { period: "daily" })).body.id,
      key: (await set(scopes.api_key, { period: "daily" })).body.id,
      elsewhere: (await set({ type: "workspace", workspace_id: elsewhere })).body.id,
    };
    return { ids, elsewhere };
  }

  return { scopes, set, get, remove, idsOf, workspaceAdmin, balance, makeFive };
});

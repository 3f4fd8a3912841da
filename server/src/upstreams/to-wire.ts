import type {
  listUpstreams,
  upstream,
  upstreamNodeHealth,
} from "@bursar/contract/admin/upstreams.ts";
import type { z } from "zod";
import { readProviderSettings } from "./provider-upstreams.ts";
import type { NodeHealthRow } from "./upstream-health.sql.ts";
import type { UpstreamRow } from "./upstreams.sql.ts";

/** Null: the health is not asked for. */
export type ListedUpstreamRow = UpstreamRow & { health: readonly NodeHealthRow[] | null };
type ListedUpstream = z.input<(typeof listUpstreams)["response"]>["data"][number];

export function toWire(row: UpstreamRow): z.input<typeof upstream> {
  return {
    id: row.id,
    type: "upstream",
    name: row.name,
    base_url: row.base_url,
    has_credential: row.credential_sealed !== null,
    credential_hint: row.credential_hint,
    provider: row.provider,
    provider_settings: readProviderSettings(row.settings),
    extra_header_names: row.extra_header_names,
    proxy_url: row.proxy_url,
    has_proxy_credential: row.proxy_credential_sealed !== null,
    upstream_workspace_id: row.upstream_workspace_id,
    default_position: row.default_position,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

export function toListedWire(row: ListedUpstreamRow): ListedUpstream {
  return { ...toWire(row), health: row.health === null ? null : row.health.map(toHealthWire) };
}

export function toHealthWire(row: NodeHealthRow): z.input<typeof upstreamNodeHealth> {
  return {
    node_id: row.node_id,
    state: row.state,
    answers: Number(row.answers),
    failures: Number(row.failures),
    failures_in_row: row.failures_in_row,
    last_answer_at: row.last_answer_at?.toISOString() ?? null,
    last_failure_at: row.last_failure_at?.toISOString() ?? null,
    last_failure: row.last_failure,
    reported_at: row.reported_at.toISOString(),
  };
}

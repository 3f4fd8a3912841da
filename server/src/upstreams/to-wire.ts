import type { upstream } from "@bursar/contract/admin/upstreams.ts";
import type { z } from "zod";
import type { UpstreamRow } from "./upstreams.sql.ts";

export function toWire(row: UpstreamRow): z.input<typeof upstream> {
  return {
    id: row.id,
    type: "upstream",
    name: row.name,
    base_url: row.base_url,
    has_credential: row.credential_sealed !== null,
    credential_hint: row.credential_hint,
    provider: row.provider,
    extra_header_names: row.extra_header_names,
    proxy_url: row.proxy_url,
    has_proxy_credential: row.proxy_credential_sealed !== null,
    upstream_workspace_id: row.upstream_workspace_id,
    default_position: row.default_position,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

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
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

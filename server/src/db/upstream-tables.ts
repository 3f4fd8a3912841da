import type { UpstreamProvider } from "@bursar/contract/admin/upstreams.ts";
import type { ColumnType, Generated } from "kysely";

// Rows of upstreams for kysely.

export interface UpstreamTables {
  upstream: UpstreamTable;
  workspace_upstream: WorkspaceUpstreamTable;
  upstream_node_health: UpstreamNodeHealthTable;
  upstream_order_version: UpstreamOrderVersionTable;
}

interface UpstreamTable {
  id: string;
  organization_id: string;
  name: string;
  provider: Generated<UpstreamProvider>;
  settings: ColumnType<UpstreamSettings, string | undefined, string>;
  base_url: string;
  credential_sealed: Uint8Array | null;
  credential_hint: string | null;
  extra_headers_sealed: Uint8Array | null;
  extra_header_names: Generated<string[]>;
  proxy_url: string | null;
  proxy_credential_sealed: Uint8Array | null;
  upstream_workspace_id: string | null;
  /** The insert default is for releases before this column. */
  default_position: number | null;
  created_at: ColumnType<Date, Date | undefined, never>;
  updated_at: Generated<Date>;
}

/** Values that a provider needs. No secrets. */
export type UpstreamSettings = Readonly<Record<string, unknown>>;

interface WorkspaceUpstreamTable {
  organization_id: string;
  workspace_id: string;
  position: number;
  upstream_id: string;
}

interface UpstreamOrderVersionTable {
  organization_id: string;
  /** Empty: the default order. */
  workspace_id: string;
  version: number;
}

interface UpstreamNodeHealthTable {
  upstream_id: string;
  node_id: string;
  state: "closed" | "open" | "half_open";
  answers: bigint;
  failures: bigint;
  failures_in_row: number;
  last_answer_at: Date | null;
  last_failure_at: Date | null;
  last_failure: string | null;
  reported_at: Date;
}

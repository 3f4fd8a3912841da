import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";
import type { FailoverReason } from "@bursar/contract/usage-shape.ts";
import type { ColumnType } from "kysely";

// Objects of upstreams and their owners (0076_upstream_objects.sql).

export interface ObjectTables {
  upstream_object: UpstreamObjectTable;
}

interface UpstreamObjectTable {
  organization_id: string;
  workspace_id: string;
  upstream_id: string;
  /** Null: the first upstream of the order created it. */
  failover: ColumnType<FailoverReason | null, FailoverReason | null, never>;
  kind: StoredObjectKind;
  id: string;
  api_key_id: string;
  created_at: ColumnType<Date, Date, never>;
  expires_at: Date | null;
  description: ColumnType<ObjectDescription | null, string | null, string | null>;
}

/** An object as its upstream describes it. */
export type ObjectDescription = Readonly<Record<string, unknown>>;

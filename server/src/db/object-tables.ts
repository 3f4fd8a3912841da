import type { ColumnType } from "kysely";

// Objects of upstreams and their owners (0076_upstream_objects.sql).

export const objectKinds = ["file", "skill", "container", "thread", "message_batch"] as const;
export type ObjectKind = (typeof objectKinds)[number];

export interface ObjectTables {
  upstream_object: UpstreamObjectTable;
}

interface UpstreamObjectTable {
  organization_id: string;
  workspace_id: string;
  upstream_id: string;
  kind: ObjectKind;
  id: string;
  api_key_id: string;
  created_at: ColumnType<Date, Date, never>;
  expires_at: Date | null;
  description: ColumnType<ObjectDescription | null, string | null, string | null>;
}

/** An object as its upstream describes it. */
export type ObjectDescription = Readonly<Record<string, unknown>>;

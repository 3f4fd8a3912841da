import type { Generated } from "kysely";

// Rows of 0061_laptops.sql: sign-ins of Claude Code, keys of their tokens, and requests for a sign-in.

export interface LaptopTables {
  laptop: LaptopTable;
  access_token_key: { id: string; key_sealed: Uint8Array; created_at: Date; used_from: Date };
  device_authorization: DeviceAuthorizationTable;
}

export type LaptopEndReason = "ended" | "ended_by_admin" | "signed_out" | "replayed" | "restored";

interface LaptopTable {
  id: string;
  organization_id: string;
  secret_id: bigint;
  member_id: string;
  workspace_id: string;
  name: string;
  client_version: string | null;
  address: string | null;
  created_at: Date;
  generation: Generated<number>;
  is_confirmed: Generated<boolean>;
  rotated_at: Date;
  end_reason: Generated<LaptopEndReason | null>;
}

interface DeviceAuthorizationTable {
  id: string;
  device_code_hash: Uint8Array;
  user_code_hash: Uint8Array;
  client_version: string | null;
  address: string | null;
  created_at: Date;
  expires_at: Date;
  status: Generated<"pending" | "approved" | "denied" | "used">;
  session_id: Generated<string | null>;
  laptop_id: Generated<string | null>;
  /** Null: no end. */
  laptop_ends_at: Generated<Date | null>;
}

export interface TelemetryTables {
  telemetry_receiver: TelemetryReceiverTable;
}

interface TelemetryReceiverTable {
  id: string;
  organization_id: string;
  name: string;
  url: string;
  headers_sealed: Uint8Array | null;
  header_names: string[];
  signals: ("metrics" | "logs" | "traces")[];
  is_enabled: boolean;
  version: number;
  created_at: Date;
  updated_at: Date;
  last_relayed_at: Date | null;
  last_failed_at: Date | null;
  last_failure: string | null;
}

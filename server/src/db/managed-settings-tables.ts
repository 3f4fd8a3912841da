export interface ManagedSettingsTables {
  managed_settings_version: ManagedSettingsVersionTable;
}

interface ManagedSettingsVersionTable {
  id: string;
  organization_id: string;
  version: number;
  /** JSON text. */
  policies: string;
  comment: string | null;
  restored_version: number | null;
  created_by_type: string;
  created_by_id: string;
  created_at: Date;
  mac: Uint8Array | null;
}

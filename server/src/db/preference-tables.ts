import type { DateFormat } from "@bursar/contract/admin/preferences.ts";
import type { ColumnType, Generated } from "kysely";

// How members read the console.

export interface PreferenceTables {
  member_preference: MemberPreferenceTable;
}

/** List of the console with its filters, order and columns, saved by a member. */
export interface SavedView {
  page: string;
  name: string;
  search: string;
}

interface MemberPreferenceTable {
  member_id: string;
  organization_id: string;
  time_zone: string | null;
  date_format: DateFormat | null;
  saved_views: ColumnType<SavedView[], string | undefined, string>;
  version: Generated<bigint>;
}

import { type CsvColumns, type ExportFormat, toFile } from "#src/lib/csv.ts";
import type { AccessGrant } from "./access-grants.ts";
import { toAccessGrantWire } from "./access-list.ts";
import type { ShownItemRow } from "./items.sql.ts";
import { toItemWire } from "./to-wire.ts";

type Grant = ReturnType<typeof toAccessGrantWire>;
type Item = ReturnType<typeof toItemWire>;
type Access = Omit<Grant, "id" | "type">;

const accessColumns: CsvColumns<Access> = {
  path: ({ path }) => path,
  member_id: ({ member }) => member?.id ?? null,
  member_name: ({ member }) => member?.name ?? null,
  member_email: ({ member }) => member?.email ?? null,
  workspace_id: ({ workspace }) => workspace?.id ?? null,
  workspace_name: ({ workspace }) => workspace?.name ?? null,
  role: ({ role }) => role,
  workspace_role: ({ workspace_role }) => workspace_role,
  key_id: ({ key }) => key?.id ?? null,
  key_name: ({ key }) => key?.name ?? null,
  key_hint: ({ key }) => key?.partial_key_hint ?? null,
  key_permission: ({ key }) => (key?.type === "api_key" ? key.permission : null),
  granted_at: ({ granted_at }) => granted_at,
  granted_by_type: ({ granted_by }) => granted_by?.type ?? null,
  granted_by_id: ({ granted_by }) => granted_by?.id ?? null,
  granted_by_name: ({ granted_by }) => granted_by?.name ?? null,
  expires_at: ({ expires_at }) => expires_at,
  last_used_at: ({ last_used_at }) => last_used_at,
};

/** The last columns, so that the others keep their places. */
const groupColumns: CsvColumns<Access> = {
  group_id: ({ group }) => group?.id ?? null,
  group_name: ({ group }) => group?.name ?? null,
};

const itemColumns: CsvColumns<Item> = {
  item_id: ({ id }) => id,
  ...accessColumns,
  signals: ({ signals }) => signals.join(" "),
  recommendation: ({ recommendation }) => recommendation,
  decision: ({ decision }) => decision,
  reason: ({ reason }) => reason,
  decided_by_id: ({ decided_by }) => decided_by?.id ?? null,
  decided_by_name: ({ decided_by }) => decided_by?.name ?? null,
  decided_by_email: ({ decided_by }) => decided_by?.email ?? null,
  decided_at: ({ decided_at }) => decided_at,
  is_self_review: ({ is_self_review }) => is_self_review,
  result: ({ result }) => result,
  result_message: ({ result_message }) => result_message,
  applied_at: ({ applied_at }) => applied_at,
  ...groupColumns,
};

export function accessFile(
  format: ExportFormat,
  pages: AsyncIterable<AccessGrant[]>,
): AsyncIterable<string> {
  return toFile<Grant>(
    format,
    { ...accessColumns, ...groupColumns },
    mapped(pages, toAccessGrantWire),
  );
}

export function itemsCsv(pages: AsyncIterable<ShownItemRow[]>): AsyncIterable<string> {
  return toFile("csv", itemColumns, mapped(pages, toItemWire));
}

async function* mapped<From, To>(
  pages: AsyncIterable<From[]>,
  toWire: (row: From) => To,
): AsyncGenerator<To[]> {
  for await (const rows of pages) yield rows.map(toWire);
}

import { getAuditLogState, verifyAuditLog } from "@bursar/contract/admin/audit-log.ts";
import type { z } from "zod";
import { formatPlural } from "#src/lib/format-plural.ts";
import type { Finding } from "./finding.ts";
import { type CallApi, callRoute } from "./local-api.ts";

type Verification = z.output<typeof verifyAuditLog.response>;
type UnsignedType = Verification["unexplained"][number]["type"];

/** Events that the doctor verifies, in about ten seconds. */
const MAX_EVENTS = 200_000;
/** Unexplained rows that the server lists at most. */
const MAX_LISTED = 100;

const CHECK = "signatures";

/** Verifies the audit log, and the signatures of keys, roles and sessions. A long log is left to `audit verify`. */
export async function checkSignedRows(callApi: CallApi): Promise<Finding> {
  const { head } = await callRoute(callApi, getAuditLogState);
  if (head.seq <= MAX_EVENTS) return describeSignedRows(await callRoute(callApi, verifyAuditLog));
  const detail = `not checked, because the audit log has ${formatPlural(head.seq, "event")}: run \`./bursar audit verify\``;
  return { check: CHECK, ok: true, is_note: true, detail };
}

const names = {
  api_key: "API key",
  admin_key: "admin key",
  member: "member",
  workspace_member: "role in a workspace",
  group: "group",
  group_member: "member of a group",
  group_workspace: "role of a group",
  scim_token: "SCIM token",
  personal_key_rules: "rule for personal keys",
  managed_settings: "version of managed settings",
  session: "session",
} as const satisfies Partial<Record<UnsignedType, string>>;

export function describeSignedRows({ is_intact, unexplained }: Verification): Finding {
  if (!is_intact) {
    const detail = "the audit log was changed: `./bursar audit verify` names the event";
    return { check: CHECK, ok: false, detail };
  }
  const unsigned = unexplained.filter(({ reason }) => reason === "unsigned");
  if (unsigned.length > 0) {
    const counts = Object.entries(names).flatMap(([type, name]) => {
      const count = unsigned.filter((row) => row.type === type).length;
      const many = name.replace(/^(role|member|rule)\b(?=.)/, "$1s");
      return count === 0 ? [] : [formatPlural(count, name, many === name ? undefined : many)];
    });
    const more = unexplained.length >= MAX_LISTED ? " or more" : "";
    const detail =
      `no valid signature: ${counts.join(", ")}${more}. The server refuses these rows. ` +
      "`./bursar audit verify` names them, and docs/guides/audit-log.md has the repair";
    return { check: CHECK, ok: false, detail };
  }
  if (unexplained.length === 0) {
    return { check: CHECK, ok: true, detail: "the audit log and all signed rows are genuine" };
  }
  const rows = formatPlural(unexplained.length, "row");
  const detail = `${rows} without an explanation in the audit log: \`./bursar audit verify\` names them`;
  return { check: CHECK, ok: true, is_note: true, detail };
}

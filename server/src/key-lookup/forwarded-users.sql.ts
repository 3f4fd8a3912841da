import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { combineGroupModels, type GroupModels } from "#src/domain/group-models.ts";
import type { JsonRow } from "#src/signed-rows/changed-rows.sql.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { isUsableJson } from "#src/signed-rows/signed-transaction.ts";

/** A user as a directory names them. */
export interface UserName {
  directoryId: string;
  subject: string;
}

/** Member whom a directory identifies by a subject, also one who was removed. */
export interface FoundUser {
  ownerMemberId: string;
  organizationId: string;
  status: "active" | "deactivated" | "removed";
  /** Groups of the member, sorted. */
  groupIds: readonly string[];
  /** Models that the groups allow. Null: all models. */
  allowedModels: readonly string[] | null;
  /** True if this installation did not sign the member or a group of the member. */
  isUnsigned: boolean;
}

interface UserRow {
  directory_id: string;
  subject: string;
  member: JsonRow & { id: string; organization_id: string; status: FoundUser["status"] };
  groups: { member_group: JsonRow & GroupModels & { id: string }; group_member: JsonRow }[] | null;
}

/** Finds users by directory and subject, in order, null for unknown ones. One statement. */
export async function findUsersBySubjects(
  db: Database | Tx,
  rows: RowSigner,
  names: readonly UserName[],
): Promise<(FoundUser | null)[]> {
  const directoryIds = names.map(({ directoryId }) => directoryId);
  const subjects = names.map(({ subject }) => subject);
  const { rows: found } = await sql<UserRow>`
    SELECT link.directory_id, link.subject, to_jsonb(member) AS member,
      (SELECT json_agg(json_build_object('member_group', g, 'group_member', held) ORDER BY g.id COLLATE "C")
        FROM group_member AS held JOIN member_group AS g ON g.id = held.group_id
        WHERE held.member_id = member.id) AS groups
    FROM unnest(${directoryIds}::text[], ${subjects}::text[]) AS named (directory_id, subject)
    JOIN directory ON directory.id = named.directory_id
    JOIN directory_identity AS link ON link.directory_id = directory.id AND link.issuer = directory.issuer
      AND link.subject = named.subject
    JOIN member ON member.id = link.member_id AND member.organization_id = directory.organization_id
  `.execute(db);
  const byName = new Map(found.map((row) => [keyOf(row.directory_id, row.subject), row]));
  return names.map(({ directoryId, subject }) => {
    const row = byName.get(keyOf(directoryId, subject));
    return row === undefined ? null : toFoundUser(row, rows);
  });
}

function keyOf(directoryId: string, subject: string): string {
  return `${directoryId} ${subject}`;
}

function toFoundUser({ member, groups }: UserRow, rows: RowSigner): FoundUser {
  const held = groups ?? [];
  const isSigned =
    isUsableJson(rows, "member", member) &&
    held.every(
      ({ member_group, group_member }) =>
        isUsableJson(rows, "member_group", member_group) &&
        isUsableJson(rows, "group_member", group_member),
    );
  return {
    ownerMemberId: member.id,
    organizationId: member.organization_id,
    status: member.status,
    groupIds: held.map(({ member_group }) => member_group.id),
    allowedModels:
      held.length === 0 ? null : combineGroupModels(held.map(({ member_group }) => member_group)),
    isUnsigned: !isSigned,
  };
}

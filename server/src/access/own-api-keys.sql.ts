import { type RawBuilder, sql } from "kysely";

/** Ids of a member's own keys, including archived ones, like `isOwnApiKey`. */
export function selectOwnApiKeyIds(of: {
  organizationId: string;
  memberId: string;
}): RawBuilder<unknown> {
  return sql`SELECT id FROM api_key WHERE organization_id = ${of.organizationId} AND owner_member_id = ${of.memberId}`;
}

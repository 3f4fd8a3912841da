import { z } from "zod";
import { apiKeyId, groupId, memberId, tagId, workspaceId } from "./ids.ts";

// Scope of a limit, an alert or an increase request.

/** Scopes that every request has. */
export const ownScopeTypes = ["organization", "workspace", "api_key"] as const;
/**
 * Scopes of limits. A request can have one member, and several groups and tags. `group_member` is the default cap of each member
 * of a group, whose spend is that of the member.
 */
export const scopeTypes = [...ownScopeTypes, "member", "group", "tag", "group_member"] as const;
/** Scopes of rate limits. */
export const rateScopeTypes = [...ownScopeTypes, "member", "group", "group_member"] as const;

const organizationScope = z.strictObject({ type: z.literal("organization") });
const workspaceScope = z.strictObject({
  type: z.literal("workspace"),
  workspace_id: workspaceId,
});
const apiKeyScope = z.strictObject({ type: z.literal("api_key"), api_key_id: apiKeyId });

export const ownScope = z.discriminatedUnion(
  "type",
  [organizationScope, workspaceScope, apiKeyScope],
  { error: (issue) => nameScopeTypes(issue.code, ownScopeTypes) },
);
export type OwnScope = z.output<typeof ownScope>;

const memberScope = z.strictObject({ type: z.literal("member"), member_id: memberId });
const groupScope = z.strictObject({ type: z.literal("group"), group_id: groupId });
const tagScope = z.strictObject({ type: z.literal("tag"), tag_id: tagId });
const groupMemberScope = z.strictObject({ type: z.literal("group_member"), group_id: groupId });

/** Scopes with spend of their own. */
export const countedScopeTypes = [...ownScopeTypes, "member", "group", "tag"] as const;

export const countedScope = z.discriminatedUnion(
  "type",
  [organizationScope, workspaceScope, apiKeyScope, memberScope, groupScope, tagScope],
  { error: (issue) => nameScopeTypes(issue.code, countedScopeTypes) },
);
export type CountedScope = z.output<typeof countedScope>;

export const rateScope = z.discriminatedUnion(
  "type",
  [organizationScope, workspaceScope, apiKeyScope, memberScope, groupScope, groupMemberScope],
  { error: (issue) => nameScopeTypes(issue.code, rateScopeTypes) },
);

export type RateScope = z.output<typeof rateScope>;

export const wireScope = z.discriminatedUnion(
  "type",
  [
    organizationScope,
    workspaceScope,
    apiKeyScope,
    memberScope,
    groupScope,
    tagScope,
    groupMemberScope,
  ],
  { error: (issue) => nameScopeTypes(issue.code, scopeTypes) },
);
export type WireScope = z.output<typeof wireScope>;

function nameScopeTypes(code: string, types: readonly string[]): string | undefined {
  return code === "invalid_union" ? `expected one of ${types.join(", ")}` : undefined;
}

import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import { newId } from "#src/lib/ids.ts";
import { inSignedTransaction, type SigningDeps } from "#src/signed-rows/signed-transaction.ts";

export interface NewGroup {
  name?: string;
  memberIds?: readonly string[];
  /** Roles in workspaces, by workspace id. */
  workspaces?: Readonly<Record<string, GivenWorkspaceRole>>;
  allowedModels?: string[] | null;
  /** Source of the group and its memberships. */
  source?: "direct" | "scim";
}

/** Creates a group without the API. Returns its id. */
export async function insertGroup(
  deps: SigningDeps,
  organizationId: string,
  {
    name = "Engineering",
    memberIds = [],
    workspaces = {},
    allowedModels = null,
    source = "direct",
  }: NewGroup,
): Promise<string> {
  const id = newId("group_", Date.now());
  await inSignedTransaction(deps, async (tx) => {
    const group = {
      id,
      organization_id: organizationId,
      name,
      allowed_models: allowedModels,
      source,
    };
    await tx.insertInto("member_group").values(group).execute();
    for (const member_id of memberIds) {
      await tx.insertInto("group_member").values({ group_id: id, member_id, source }).execute();
    }
    for (const [workspace_id, role] of Object.entries(workspaces)) {
      await tx.insertInto("group_workspace").values({ group_id: id, workspace_id, role }).execute();
    }
  });
  return id;
}

import { randomBytes } from "node:crypto";
import { readTokenKeys, UNNAMED_ISSUER } from "#src/key-lookup/access-token-keys.ts";
import {
  type AccessTokens,
  makeAccessTokens,
  type TokenSubject,
} from "#src/key-lookup/access-tokens.ts";
import { newId } from "#src/lib/ids.ts";
import { deriveSealingKey } from "#src/lib/seal.ts";
import { inSignedTransaction, type SigningDeps } from "#src/signed-rows/signed-transaction.ts";

// Laptops of a test, without the device flow.

export interface SignedInLaptop {
  id: string;
  /** Id of the Claude Code key. */
  apiKeyId: string;
  secretId: bigint;
  accessToken: string;
  /** Refresh token of the first generation. */
  refreshToken: string;
  /** Claims of both tokens, for tests that sign further ones. */
  subject: TokenSubject;
}

/** A laptop without an end has this one. */
export const NO_END = new Date("9999-12-31T00:00:00.000Z");

/** Signs a laptop of the member in. The member needs a role in the workspace for a key that works. */
export async function signInLaptop(
  deps: SigningDeps & { accessTokens: AccessTokens; nowMs: () => number },
  of: {
    organizationId: string;
    workspaceId: string;
    memberId: string;
    name?: string;
    endsAt?: Date;
    groups?: readonly { id: string; name: string }[];
  },
): Promise<SignedInLaptop> {
  const nowMs = deps.nowMs();
  const id = newId("laptop_", nowMs);
  const hash = randomBytes(32);
  const { apiKeyId, secretId } = await inSignedTransaction(deps, async (tx) => {
    const found = await tx
      .selectFrom("api_key")
      .select("id")
      .where("owner_member_id", "=", of.memberId)
      .where("workspace_id", "=", of.workspaceId)
      .where("purpose", "=", "claude_code")
      .where("status", "!=", "archived")
      .executeTakeFirst();
    const apiKeyId = found?.id ?? newId("apikey_", nowMs);
    const secret = { api_key_id: apiKeyId, hint: "Claude Code", created_at: new Date(nowMs) };
    if (found === undefined) {
      await tx
        .insertInto("api_key")
        .values({
          id: apiKeyId,
          organization_id: of.organizationId,
          workspace_id: of.workspaceId,
          name: "Claude Code of Ada Lovelace",
          permission: "write",
          purpose: "claude_code",
          owner_member_id: of.memberId,
          created_by_type: "member",
          created_by_id: of.memberId,
          expires_at: null,
        })
        .execute();
      await tx
        .insertInto("api_key_secret")
        .values({ ...secret, hash: randomBytes(32) })
        .execute();
    }
    const { id: secretId } = await tx
      .insertInto("api_key_secret")
      .values({ ...secret, hash, valid_until: of.endsAt ?? NO_END })
      .returning("id")
      .executeTakeFirstOrThrow();
    await tx
      .insertInto("laptop")
      .values({
        id,
        organization_id: of.organizationId,
        secret_id: secretId,
        member_id: of.memberId,
        workspace_id: of.workspaceId,
        name: of.name ?? "Laptop",
        client_version: "2.1.332",
        address: null,
        created_at: new Date(nowMs),
        rotated_at: new Date(nowMs),
      })
      .execute();
    return { apiKeyId, secretId };
  });
  const subject = {
    organizationId: of.organizationId,
    memberId: of.memberId,
    laptopId: id,
    key: hash.toString("base64url"),
    groupIds: (of.groups ?? []).map((group) => group.id),
    groupNames: (of.groups ?? []).map((group) => group.name),
    billingGroupTag: null,
  };
  return {
    ...{ id, apiKeyId, secretId, subject },
    accessToken: deps.accessTokens.issueAccess(subject, nowMs),
    refreshToken: deps.accessTokens.issueRefresh(subject, 1, nowMs),
  };
}

/** Opens the token keys of a running server with this secret, and without a public address. */
export async function openTokens(
  { database }: Pick<SigningDeps, "database">,
  secret: string,
): Promise<AccessTokens> {
  const tokens = makeAccessTokens(() => UNNAMED_ISSUER);
  tokens.setKeys(await readTokenKeys({ database, sealingKey: deriveSealingKey(secret) }));
  return tokens;
}

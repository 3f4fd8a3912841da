import type { AdminKeyCaller } from "#src/domain/caller.ts";

/** An admin key without restrictions. */
export function makeAdminKeyCaller(
  id: string,
  organizationId: string,
  restrictions: Partial<AdminKeyCaller> = {},
): AdminKeyCaller {
  return {
    kind: "admin_key",
    id,
    organizationId,
    scopes: null,
    allowedAddresses: null,
    expiresAtMs: null,
    ...restrictions,
  };
}

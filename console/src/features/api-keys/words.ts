import type { KeyPermission } from "@bursar/contract/permissions.ts";
import type { ApiKey } from "../../kit/api-keys/queries.ts";

/** Capabilities and restrictions of each permission. Each includes the permissions before it. */
export const permissionWords: Record<
  KeyPermission,
  { label: string; can: string; cannot: string }
> = {
  read: {
    label: "Read",
    can: "list models, count tokens and read its workspace’s usage",
    cannot: "send messages or change anything",
  },
  write: {
    label: "Write",
    can: "send messages to Claude, list models, count tokens and read its workspace’s usage",
    cannot: "create keys or change limits",
  },
  admin: {
    label: "Admin",
    can: "do all of that, and manage its workspace through the Admin API: keys, limits, settings",
    cannot: "see any other workspace",
  },
};

export function strongest(permissions: readonly KeyPermission[]): KeyPermission {
  return permissions.includes("admin") ? "admin" : permissions.includes("write") ? "write" : "read";
}

/** Describes a key before its creation: "This key can… / cannot…". */
export function describeKey(input: {
  permission: KeyPermission;
  workspace: string;
  /** "you leave", "Ada Lovelace leaves". Null: a key of the workspace. */
  owner: string | null;
  models: readonly string[];
  addresses: readonly string[];
  expires: string | null;
}): { can: string; cannot: string; ends: string } {
  const words = permissionWords[input.permission];
  const where = input.addresses.length > 0 ? `, from ${input.addresses.join(", ")} only` : "";
  const which = input.models.length > 0 ? `, with ${input.models.join(", ")} only` : "";
  const expiry =
    input.expires === null ? "The key does not expire" : `The key expires on ${input.expires}`;
  return {
    can: `In ${input.workspace}, this key can ${words.can}${which}${where}.`,
    cannot: `The key cannot ${words.cannot}.`,
    ends: input.owner
      ? `${expiry}, and stops working when ${input.owner} the company or the workspace.`
      : `${expiry}, and keeps working when its creator leaves.`,
  };
}

/** Receiver of the secret of another member's key. */
export function secretGoesToOwner({ owner }: Pick<ApiKey, "owner">): string {
  return `${nameOfOwner(owner)} alone gets the secret, by a one-time link.`;
}

export function nameOfOwner(owner: ApiKey["owner"]): string {
  return owner.type === "member" ? owner.name || owner.email : "The owner";
}

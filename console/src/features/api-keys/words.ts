import type { KeyPermission } from "@bursar/contract/permissions.ts";
import type { Tone } from "../../ui/badge.tsx";
import type { ApiKey } from "./queries.ts";

/** What each permission lets a key do, and what it does not. Each holds the ones before it. */
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
    can: "do all of that, and run its own workspace through the Admin API: keys, limits, settings",
    cannot: "see any other workspace",
  },
};

export function strongest(permissions: readonly KeyPermission[]): KeyPermission {
  return permissions.includes("admin") ? "admin" : permissions.includes("write") ? "write" : "read";
}

export type KeyState = "active" | "disabled" | "expired" | "revoked" | "stopped";

const tones: Record<KeyState, Tone> = {
  active: "good",
  disabled: "warn",
  expired: "warn",
  revoked: "plain",
  stopped: "bad",
};

/** The state of a key in the console's words. */
export function stateOf(key: ApiKey): KeyState {
  if (key.status === "archived") return "revoked";
  if (key.stopped_because !== null) return "stopped";
  if (key.status === "inactive") return "disabled";
  return key.status;
}

export function toneOf(state: KeyState): Tone {
  return tones[state];
}

const stopWords: Record<NonNullable<ApiKey["stopped_because"]>, string> = {
  owner_deactivated: "Its owner is deactivated: it works again once the person does.",
  owner_removed: "Its owner was removed from the company.",
  owner_outside_workspace: "Its owner has no role in the workspace any more.",
};

export function stopReason(key: ApiKey): string | null {
  return key.stopped_because && stopWords[key.stopped_because];
}

const DAY_MS = 86_400_000;

/** What somebody should know about a working key, in a few words each. */
export function warningsOf(key: ApiKey, nowMs: number): { tone: Tone; text: string }[] {
  if (stateOf(key) !== "active") return [];
  const warnings: { tone: Tone; text: string }[] = [];
  if (key.secrets.length > 1) warnings.push({ tone: "accent", text: "rotating" });
  const daysLeft = key.expires_at
    ? (Date.parse(key.expires_at) - nowMs) / DAY_MS
    : Number.POSITIVE_INFINITY;
  if (daysLeft < 14)
    warnings.push({ tone: "warn", text: `expires in ${Math.max(0, Math.ceil(daysLeft))} d` });
  const ageDays = (nowMs - Date.parse(key.created_at)) / DAY_MS;
  const idleDays = key.last_used ? (nowMs - Date.parse(key.last_used.at)) / DAY_MS : ageDays;
  if (idleDays > 30) {
    warnings.push({
      tone: "plain",
      text: key.last_used ? `idle ${Math.floor(idleDays)} d` : "never used",
    });
  }
  if (key.exceeds_max_lifetime) warnings.push({ tone: "warn", text: "lives too long" });
  return warnings;
}

/** "This key can… / cannot…": what is about to be made, before it is. */
export function describeKey(input: {
  permission: KeyPermission;
  workspace: string;
  /** "you leave", "Ada Lovelace leaves"; null where no person owns it. */
  owner: string | null;
  models: readonly string[];
  addresses: readonly string[];
  expires: string | null;
}): { can: string; cannot: string; ends: string } {
  const words = permissionWords[input.permission];
  const where = input.addresses.length > 0 ? `, from ${input.addresses.join(", ")} only` : "";
  const which = input.models.length > 0 ? `, with ${input.models.join(", ")} only` : "";
  const expiry = input.expires === null ? "It does not expire" : `It expires on ${input.expires}`;
  return {
    can: `In ${input.workspace}, this key can ${words.can}${which}${where}.`,
    cannot: `It cannot ${words.cannot}.`,
    ends: input.owner
      ? `${expiry}, and it stops when ${input.owner} the company or the workspace.`
      : `${expiry}, and it works on when the person who made it leaves.`,
  };
}

import type { PersonalKeyMode } from "@bursar/contract/admin/workspaces.ts";

/** Reason why a member can create a personal key: the role, the workspace's setting, or the setting with a new role. */
export type PersonalKeyGround = "role" | "setting" | "joining";

export interface PersonalKeyFacts {
  mode: PersonalKeyMode;
  /** Whether the member's role allows the creation of keys in the workspace. */
  canWriteKeys: boolean;
  /** Whether the member has a role in the workspace under which a personal key works. */
  hasRole: boolean;
  /** Whether the member's organization role can be a Workspace User. */
  canJoin: boolean;
}

/** Returns the ground for a personal key, or null without one. */
export function findPersonalKeyGround(facts: PersonalKeyFacts): PersonalKeyGround | null {
  if (facts.canWriteKeys) return "role";
  if (facts.mode === "off") return null;
  if (facts.hasRole) return "setting";
  return facts.mode === "everyone" && facts.canJoin ? "joining" : null;
}

/** Returns the shorter lifetime, days. Null: no maximum. */
export function pickShorterLifetime(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

import type { Tone } from "../../ui/badge.tsx";
import { formatRelative } from "../../ui/format.ts";
import type { ApiKey } from "./queries.ts";

export type KeyState = "active" | "disabled" | "expired" | "revoked" | "stopped";

const tones: Record<KeyState, Tone> = {
  active: "good",
  disabled: "warn",
  expired: "warn",
  revoked: "plain",
  stopped: "bad",
};

/** State of a key, as the console shows it. */
export function stateOf(key: ApiKey): KeyState {
  if (key.status === "archived") return "revoked";
  if (key.stopped_because?.startsWith("owner_")) return "stopped";
  if (key.status === "inactive") return "disabled";
  return key.status;
}

export function toneOf(state: KeyState): Tone {
  return tones[state];
}

const stopWords: Record<NonNullable<ApiKey["stopped_because"]>, string> = {
  owner_deactivated:
    "The key owner is deactivated. The key works again when the member is reactivated.",
  owner_removed: "The key owner was removed from the company.",
  owner_outside_workspace: "The key owner no longer has a role in the workspace.",
  disabled_by_machine: "Disabled by the operator.",
  disabled_by_owner: "Disabled by an Owner.",
  disabled_by_admin: "Disabled by an Admin.",
  disabled_by_workspace: "Disabled by a Workspace Admin.",
  disabled_by_holder: "Disabled by the holder.",
};

export function stopReason(key: ApiKey): string | null {
  return key.stopped_because && stopWords[key.stopped_because];
}

const DAY_MS = 86_400_000;

/** True if someone should act on the key. The server decides by one rule for lists, counts and this. */
export function needsAttention(key: ApiKey): boolean {
  return key.attention.length > 0;
}

/** Warnings about a working key, a few words each. */
export function warningsOf(key: ApiKey, nowMs: number): { tone: Tone; text: string }[] {
  if (stateOf(key) !== "active") return [];
  const issues = key.attention.map((issue) => ({
    tone: "warn" as const,
    text: attentionWords[issue](key, nowMs),
  }));
  return key.secrets.length > 1 ? [{ tone: "accent", text: "rotating" }, ...issues] : issues;
}

function countDays(fromMs: number, toMs: number): number {
  return Math.max(0, Math.floor((toMs - fromMs) / DAY_MS));
}

const attentionWords: Record<ApiKey["attention"][number], (key: ApiKey, nowMs: number) => string> =
  {
    expires_within_14_days: ({ expires_at }, nowMs) =>
      expires_at === null ? "expires" : `expires ${formatRelative(expires_at, nowMs)}`,
    unused_90_days: ({ last_used }, nowMs) =>
      last_used === null ? "never used" : `unused ${countDays(Date.parse(last_used.at), nowMs)} d`,
    older_than_180_days: ({ secrets, created_at }, nowMs) => {
      const current = secrets.find(({ valid_until }) => valid_until === null);
      return `secret ${countDays(Date.parse(current?.created_at ?? created_at), nowMs)} d old`;
    },
    exceeds_max_lifetime: () => "lifetime too long",
  };

import type { Tone } from "../../ui/badge.tsx";
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

/** Warnings about an active key, a few words each. */
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
  if (key.exceeds_max_lifetime) warnings.push({ tone: "warn", text: "lifetime too long" });
  return warnings;
}

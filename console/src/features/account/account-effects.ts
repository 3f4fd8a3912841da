import { listNames } from "../../kit/consequences/sentences.ts";
import { formatPlural } from "../../ui/format.ts";

// Effects of changes of the own account, as sentences.

interface Ended {
  /** Devices of the other sessions. Undefined: unknown. */
  devices: readonly (string | null)[] | undefined;
  /** Names of the active laptops. Undefined: unknown. */
  laptops: readonly string[] | undefined;
}

/** Effects of an end of all other sessions and laptops. */
export function describeEndedSessions({ devices, laptops }: Ended): string[] {
  return [
    ...(devices ? [describeSessions(devices)] : []),
    ...(laptops ? [describeLaptops(laptops)] : []),
    "This session stays. Your keys keep working.",
  ];
}

/** Effect of a new password. */
export function describeNewPassword(devices: readonly (string | null)[] | undefined): string[] {
  return devices ? [describeSessions(devices)] : [];
}

function describeSessions(devices: readonly (string | null)[]): string {
  if (devices.length === 0) return "You have no other session.";
  const names = listNames(devices.map((device) => device ?? "unknown device"));
  return `${formatPlural(devices.length, "other session ends", "other sessions end")}: ${names}.`;
}

function describeLaptops(names: readonly string[]): string {
  if (names.length === 0) return "You have no laptop.";
  return `Claude Code stops within a second on ${formatPlural(names.length, "laptop")}: ${listNames(names)}.`;
}

import { createHash } from "node:crypto";
import { formatSorted, type Settings } from "./effective-settings.rule.ts";

/** Checksum of settings, as clients compute it: `sha256:` and hex. */
export function computeChecksum(settings: Settings): string {
  return `sha256:${createHash("sha256").update(formatSorted(settings)).digest("hex")}`;
}

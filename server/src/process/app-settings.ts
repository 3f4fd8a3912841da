import { type Config, isOnlyLocal } from "#src/config.ts";
import type { AdminAppDeps } from "#src/http/app.ts";
import { parseAllowedTargets } from "#src/lib/target-address.ts";

type AppSettings = Pick<
  AdminAppDeps,
  | "hasKnownAddress"
  | "hasReference"
  | "isMachineAllowed"
  | "isMailServerConfigured"
  | "metricsToken"
  | "privateUpstreams"
  | "publicOrigin"
  | "unresolvedReleaseMs"
>;

/** Settings that the Admin API reads. */
export function readAppSettings(config: Config): AppSettings {
  return {
    privateUpstreams: parseAllowedTargets(config.allowPrivateUpstreams),
    isMachineAllowed: config.allowMachineCredentials === "on",
    metricsToken: config.metricsToken ?? null,
    hasKnownAddress: config.publicUrl !== undefined || isOnlyLocal(config),
    hasReference: config.apiReference === "on",
    isMailServerConfigured: config.smtpUrl !== undefined,
    publicOrigin: config.publicUrl === undefined ? null : new URL(config.publicUrl).origin,
    unresolvedReleaseMs: config.unresolvedReleaseMs,
  };
}

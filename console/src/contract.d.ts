declare module "virtual:contract" {
  /** Method and path of every operation, and whether it needs no caller. */
  export const routes: Record<string, readonly [method: string, path: string, isPublic?: true]>;
  /** Enforcements of a limit. The first is the default. */
  export const enforcements: readonly ("strict" | "soft" | "alert_only")[];
  /** Rule of new limits for streams. */
  export const newLimitHold: "steps" | "whole";
  /** Names of the events in the audit log. */
  export const auditEvents: readonly string[];
}

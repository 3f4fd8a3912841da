declare module "virtual:contract" {
  /** Method and path of every operation of Bursar itself. A public one needs no caller. Others can always need a step-up. */
  export const routes: Record<
    string,
    readonly [method: string, path: string, mark?: "public" | "step-up"]
  >;
  /** Enforcements of a limit. The first is the default. */
  export const enforcements: readonly ("strict" | "soft" | "alert_only")[];
  /** Rule of new limits for streams. */
  export const newLimitHold: "steps" | "whole";
}

declare module "virtual:audit-events" {
  /** Names of the events in the audit log. */
  export const auditEvents: readonly string[];
}

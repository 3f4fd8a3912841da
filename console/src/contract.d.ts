declare module "virtual:contract" {
  /** Method and path of every operation of the contract, and whether it asks for no caller. */
  export const routes: Record<string, readonly [method: string, path: string, isPublic?: true]>;
  /** How a limit can be enforced; the first is the default. */
  export const enforcements: readonly ("strict" | "soft" | "alert_only")[];
  /** What changes write into the audit log. */
  export const auditEvents: readonly string[];
}

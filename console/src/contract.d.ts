declare module "virtual:contract" {
  /** Method and path of every operation of the contract. */
  export const routes: Record<string, readonly [method: string, path: string]>;
  /** How a limit can be enforced; the first is the default. */
  export const enforcements: readonly ("strict" | "soft" | "alert_only")[];
}

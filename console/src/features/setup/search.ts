const steps = ["upstream", "workspace", "key"] as const;
export type Step = (typeof steps)[number];

/** Where the set-up is, in its address. */
export function readSetUpSearch(raw: Record<string, unknown>): { step?: Step } {
  const step = steps.find((name) => name === raw["step"]);
  return step ? { step } : {};
}

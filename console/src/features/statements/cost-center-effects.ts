import { formatPlural } from "../../ui/format.ts";

interface CostCenters {
  before: string | null;
  after: string | null;
  /** Number of monthly statements. Undefined: unknown. */
  statements: number | undefined;
}

/** Effects of another tag of cost centres, as sentences. */
export function describeCostCenters({ before, after, statements }: CostCenters): string[] {
  if (before === after) return [];
  const all = statements === undefined ? "all statements" : formatPlural(statements, "statement");
  const rows = after === null ? "no cost centres" : `the values of ${after} as cost centres`;
  return [`Rows of ${all} have ${rows} at once, in closed months too. Amounts stay the same.`];
}

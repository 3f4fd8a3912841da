import { useMay } from "../../session.ts";
import { Skeleton } from "../../ui/states.tsx";
import { FirstSteps, useCanTakeFirstSteps } from "./first-steps.tsx";
import { CompanySize, Month } from "./month.tsx";
import { TopCosts } from "./top-costs.tsx";
import { Triage, useTriage } from "./triage.tsx";

/** Triage first, then the cost. Nothing below the triage is drawn before its height is known. */
export function CompanyOverview() {
  const may = useMay();
  const canTakeSteps = useCanTakeFirstSteps();
  const { parts, counts, error } = useTriage();
  if (counts.data?.has_requests === false && canTakeSteps) return <FirstSteps />;
  if (!parts && !error) return <Skeleton className="h-56" />;
  return (
    <div className="grid gap-10">
      <Triage />
      {may("usage:read") && <Month />}
      <CompanySize />
      {may("usage:read") && <TopCosts />}
    </div>
  );
}

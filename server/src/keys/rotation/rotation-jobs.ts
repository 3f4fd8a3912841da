import type { Job } from "#src/jobs/run-jobs.ts";
import { enforceRotation, type RotationDeps } from "./enforce-rotation.ts";

const ENFORCE_ROTATION = "enforce_rotation";

export function makeRotationJobs(deps: RotationDeps): Record<string, Job> {
  return { [ENFORCE_ROTATION]: () => enforceRotation(deps) };
}

/** Every quarter of an hour. */
export const rotationSchedule = { [ENFORCE_ROTATION]: "*/15 * * * *" } as const;

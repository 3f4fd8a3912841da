import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";

export const STEP_UP_LASTS_MS = 10 * 60_000;

/**
 * For what must not be done by whoever finds an unlocked screen: throws a 403 unless the person has proved in the last
 * ten minutes who it is. The header tells the console to ask, and then to send the same again. Keys and the local
 * operator are not asked.
 */
export function checkStepUp(caller: Caller, nowMs: number): void {
  if (caller.kind !== "member") return;
  const { steppedUpAtMs } = caller;
  if (steppedUpAtMs !== null && nowMs - steppedUpAtMs <= STEP_UP_LASTS_MS) return;
  throw new ApiError(
    "step_up_required",
    "Confirm it is you: enter your password or use your passkey again.",
    { "bursar-step-up": "required" },
  );
}

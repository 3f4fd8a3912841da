import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";

export const STEP_UP_LASTS_MS = 10 * 60_000;

/**
 * Requires a recent identity confirmation, to protect against other people at an unlocked screen. Throws a 403 unless
 * the member confirmed its identity in the last ten minutes. The header tells the console to ask and then to repeat the
 * request. Keys and the local operator are exempt.
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

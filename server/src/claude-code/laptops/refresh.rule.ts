// A refresh token is replaced once a day. The one before works until the newer one was presented, so a lost response costs
// nothing. An older one is in other hands too.

/** Newest refresh token of a laptop. */
export interface RefreshState {
  generation: number;
  /** True once the newest token was presented. */
  isConfirmed: boolean;
  /** Time of the newest token, milliseconds since the epoch. */
  rotatedAtMs: number;
}

export const REPLACE_AFTER_MS = 86_400_000;

/** Returns the state after a token was presented, or null if the laptop must end. An equal state is not written. */
export function decideRefresh(
  state: RefreshState,
  presented: number,
  nowMs: number,
): RefreshState | null {
  const { generation, isConfirmed } = state;
  if (presented < generation) {
    return !isConfirmed && presented === generation - 1 ? state : null;
  }
  // Only the server signs tokens. A failover lost the row of a newer one.
  const confirmed = { ...state, generation: presented, isConfirmed: true };
  if (nowMs - state.rotatedAtMs < REPLACE_AFTER_MS) return confirmed;
  return { generation: presented + 1, isConfirmed: false, rotatedAtMs: nowMs };
}

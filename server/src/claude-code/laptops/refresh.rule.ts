// A refresh token is replaced once a day. The one before works until the newer one was presented, so a lost response costs
// nothing. The server accepts it for two hours more. Each running Claude Code presents the token of its own memory, also after
// another one has stored a newer token. An older token is in other hands too.

/** Newest refresh token of a laptop. */
export interface RefreshState {
  generation: number;
  /** True once the newest token was presented. */
  isConfirmed: boolean;
  /** Time at which the newest token was issued or first presented, milliseconds since the epoch. */
  rotatedAtMs: number;
}

export const REPLACE_AFTER_MS = 86_400_000;
/** Each running Claude Code refreshes once an hour. */
export const OTHER_CLIENTS_MS = 2 * 3_600_000;

/** Returns the state after a token was presented, or null if the laptop must end. An equal state is not written. */
export function decideRefresh(
  state: RefreshState,
  presented: number,
  nowMs: number,
): RefreshState | null {
  const { generation, isConfirmed, rotatedAtMs } = state;
  if (presented < generation) {
    const isAccepted = !isConfirmed || nowMs - rotatedAtMs < OTHER_CLIENTS_MS;
    return isAccepted && presented === generation - 1 ? state : null;
  }
  // Only the server signs tokens. A failover lost the row of a newer one.
  if (!isConfirmed || presented > generation) {
    return { generation: presented, isConfirmed: true, rotatedAtMs: nowMs };
  }
  if (nowMs - rotatedAtMs < REPLACE_AFTER_MS) return state;
  return { generation: presented + 1, isConfirmed: false, rotatedAtMs: nowMs };
}

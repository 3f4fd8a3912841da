// A refresh token is replaced once a day. Each running Claude Code presents the token of its own memory, also after another
// one has stored a newer token. So the token before the newest one works, which also covers a lost response. The one before
// that works until two hours after the newest one was presented. A laptop can sleep before its second Claude Code refreshes,
// and the first one then gets a newer token at once. An older token is in other hands too.

/** Newest refresh token of a laptop. */
export interface RefreshState {
  generation: number;
  /** True once the newest token was presented. */
  isConfirmed: boolean;
  /** Time at which the newest token was issued or first presented, milliseconds since the epoch. */
  rotatedAtMs: number;
}

export const REPLACE_AFTER_MS = 86_400_000;
/** Each running Claude Code refreshes at least every two hours. */
export const OTHER_CLIENTS_MS = 2 * 3_600_000;

/** Returns the state after a token was presented, or null if the laptop must end. An equal state is not written. */
export function decideRefresh(
  state: RefreshState,
  presented: number,
  nowMs: number,
): RefreshState | null {
  const { generation, isConfirmed, rotatedAtMs } = state;
  if (presented < generation) {
    const isSettled = isConfirmed && nowMs - rotatedAtMs >= OTHER_CLIENTS_MS;
    return presented >= generation - (isSettled ? 1 : 2) ? state : null;
  }
  // Only the server signs tokens. A failover lost the row of a newer one.
  if (!isConfirmed || presented > generation) {
    return { generation: presented, isConfirmed: true, rotatedAtMs: nowMs };
  }
  if (nowMs - rotatedAtMs < REPLACE_AFTER_MS) return state;
  return { generation: presented + 1, isConfirmed: false, rotatedAtMs: nowMs };
}

// The rule of fair shares, pure. Each taker of a total can take a fixed part of what the other takers leave of it. So a
// lone taker uses the machine well, and the next taker always finds room. docs/decisions/0067-fair-shares.md has the
// reasons.

/** Part of a total that one workspace, address or caller can take of what the others leave. */
export const OUTER_PART = 1 / 2;
/** Part of a workspace's share that one key can take of what the workspace's other keys leave. */
export const INNER_PART = 3 / 4;

/** Most that a taker can hold. `left`: the total without the use of others. `least`: a share is never smaller. */
export function computeShare(left: number, part: number, least: number): number {
  return Math.max(least, Math.floor(left * part));
}

/** True if the second maximum allows less. Null: no maximum. */
export function isLower(before: number | null, after: number | null): after is number {
  return after !== null && after < (before ?? Infinity);
}

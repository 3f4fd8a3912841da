import { isDeepStrictEqual } from "node:util";

/** True of values that hold the same data. The order of fields does not matter. The order of a list does. */
export function isSame<Value>(a: Value, b: Value): boolean {
  return isDeepStrictEqual(a, b);
}

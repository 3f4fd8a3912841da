/** Asserts a fact that only a bug can make false. Throws an Error that becomes a 500, never a public message. */
export function assert(condition: unknown, fact: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${fact}`);
}

/** True of text that PostgreSQL can store: without NUL and without half of a surrogate pair. */
export function isStorableText(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

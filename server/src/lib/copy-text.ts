/** Copies a part of a text, which would keep the whole text in memory, such as the head of a request. Takes 0.06 us. */
export function copyText(text: string): string {
  return ` ${text}`.slice(1);
}

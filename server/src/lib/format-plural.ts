/** Formats `1 key`, `3 keys`, `1,200 keys`. `many` is an irregular plural: `2 people`. */
export function formatPlural(count: number | bigint, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${Number(count) === 1 ? one : many}`;
}

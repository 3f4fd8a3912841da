/**
 * Formats a model's name: "Claude Sonnet 4.5" for `claude-sonnet-4-5-20250929`, "Claude Sonnet 3.5" for
 * `claude-3-5-sonnet-20241022`. Returns other names unchanged.
 */
export function modelDisplayName(model: string): string {
  const match = /^claude-([a-z0-9-]+?)(?:-[0-9]{8}|-latest)?$/.exec(model);
  if (!match) return model;
  const words = (match[1] ?? "").split("-");
  const numbers = words.filter((word) => /^[0-9]+$/.test(word));
  const names = words.filter((word) => !/^[0-9]+$/.test(word));
  if (names.length === 0) return model;
  const title = names.map((name) => name.charAt(0).toUpperCase() + name.slice(1));
  return ["Claude", ...title, ...(numbers.length > 0 ? [numbers.join(".")] : [])].join(" ");
}

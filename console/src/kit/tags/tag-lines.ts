/** Tags as text: one `name=value` per line. */
export function formatTags(tags: Readonly<Record<string, string>>): string {
  return listTags(tags).join("\n");
}

export function listTags(tags: Readonly<Record<string, string>>): string[] {
  return Object.entries(tags).map(([name, value]) => `${name}=${value}`);
}

function splitLines(text: string): [name: string, value: string][] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const end = line.indexOf("=");
    return end === -1 ? [line.trim(), ""] : [line.slice(0, end).trim(), line.slice(end + 1).trim()];
  });
}

/** A rule of react-hook-form: each line has a name and a value, and each name is there once. */
export const tagLines = {
  validate: (text: string) => {
    const lines = splitLines(text);
    if (lines.some(([name, value]) => name === "" || value === "")) {
      return "Enter name=value on each line, such as cost_center=4711.";
    }
    const names = lines.map(([name]) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    return twice === undefined || `The name ${twice} is there twice.`;
  },
};

/** Reads valid lines. */
export function toTags(text: string): Record<string, string> {
  return Object.fromEntries(splitLines(text));
}

/** Change from the tags before: a removed tag is null. */
export function toTagChange(
  before: Readonly<Record<string, string>>,
  text: string,
): Record<string, string | null> {
  const removed = Object.keys(before).map((name) => [name, null] as const);
  return { ...Object.fromEntries(removed), ...toTags(text) };
}

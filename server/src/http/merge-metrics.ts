/**
 * Merges the Prometheus texts of several processes. Each family is listed once, with the lines of all processes. A
 * label names the process of each line.
 */
export function mergeMetrics(texts: readonly string[]): string {
  const families = new Map<string, { head: string[]; samples: string[] }>();
  for (const text of texts) {
    let family = getFamily(families, "");
    for (const line of text.split("\n")) {
      if (line === "") continue;
      const about = /^# (?:HELP|TYPE) (\S+)/.exec(line);
      if (about === null) {
        family.samples.push(line);
        continue;
      }
      family = getFamily(families, about[1] ?? "");
      if (!family.head.includes(line)) family.head.push(line);
    }
  }
  const lines = [...families.values()].flatMap(({ head, samples }) => [...head, ...samples]);
  return `${lines.join("\n")}\n`;
}

function getFamily(
  families: Map<string, { head: string[]; samples: string[] }>,
  name: string,
): { head: string[]; samples: string[] } {
  const found = families.get(name) ?? { head: [], samples: [] };
  families.set(name, found);
  return found;
}

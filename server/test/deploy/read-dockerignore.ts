// Rules of `.dockerignore`: patterns of Go's filepath.Match with `**`, relative to the context. The last line that
// matches a path or a folder above it decides. Reference: https://docs.docker.com/build/concepts/context/

/**
 * Returns a function that tests whether the build excludes a path. Paths are relative to the context, with slashes.
 * Throws for an exception below a folder, so that every path below an ignored folder is excluded.
 */
export function readDockerignore(text: string): (path: string) => boolean {
  const rules = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map(readRule);
  return (path) => {
    const folders = path.split("/");
    const paths = folders.map((_, i) => folders.slice(0, i + 1).join("/"));
    const rule = rules.findLast(({ pattern }) => paths.some((each) => pattern.test(each)));
    return rule?.isIgnored ?? false;
  };
}

function readRule(line: string): { isIgnored: boolean; pattern: RegExp } {
  const isIgnored = !line.startsWith("!");
  const glob = line.replace(/^!/, "").replace(/^\/|\/$/g, "");
  if (!isIgnored && glob.includes("/")) throw new Error(`unknown form of an exception: ${line}`);
  return { isIgnored, pattern: toPattern(glob) };
}

function toPattern(glob: string): RegExp {
  if (/[[\]\\?]/.test(glob)) throw new Error(`unknown form of a pattern: ${glob}`);
  const source = glob
    .split(/(\*\*\/|\*\*|\*)/)
    .map((part) => {
      if (part === "**/") return "(?:.*/)?";
      if (part === "**") return ".*";
      if (part === "*") return "[^/]*";
      return part.replaceAll(/[.+^${}()|]/g, String.raw`\$&`);
    })
    .join("");
  return new RegExp(`^${source}$`);
}

// Lists the files of the repository except those that git ignores. Needs no git, because a copy without history has
// none.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** All files and folders of the repository, as paths with `/`. Folders end in `/`. */
export function listRepository(root, isIgnored = readGitIgnore(root)) {
  const paths = new Set();
  const visit = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.name === ".git" || isIgnored(path)) continue;
      paths.add(entry.isDirectory() ? `${path}/` : path);
      if (entry.isDirectory()) visit(path);
    }
  };
  visit("");
  return paths;
}

/**
 * Returns whether git ignores a path. Supports the forms of this repository: names, paths from the root, `*` and `!`.
 */
export function readGitIgnore(root) {
  const lines = readFileSync(join(root, ".gitignore"), "utf8").split("\n").filter(Boolean);
  const excepted = lines
    .filter((line) => line.startsWith("!"))
    .map((line) => toRegExp(line.slice(1)));
  const ignored = lines.filter((line) => !line.startsWith("!")).map(toRegExp);
  return (path) =>
    ignored.some((pattern) => pattern.test(path)) &&
    !excepted.some((pattern) => pattern.test(path));
}

function toRegExp(line) {
  const path = line.replace(/[/]$/, "");
  const start = path.includes("/") ? "^" : "(^|/)";
  const name = path.replace(/^[/]/, "").replaceAll(".", "[.]").replaceAll("*", "[^/]*");
  return new RegExp(`${start}${name}$`);
}

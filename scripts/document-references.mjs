// Finds broken links, anchors and repository paths in Markdown documents.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { listRepository, readGitIgnore } from "./repository-files.mjs";

/** Endings of paths that name a file of the repository. */
const SOURCE_FILE = /\.(ts|tsx|mjs|cjs|sql|css|html|md|py)$/;
const FOLDER = /^[\w.-]+[/]([\w.<>-]+[/])*$/;
const PATH_CHARACTERS = /^[\w.@<>{},*-]+(\/[\w.@<>{},*-]+)*\/?$/;

/**
 * Broken references of all Markdown documents, one line each (`document:line: reference`), and the number of
 * documents and references.
 */
export function findBrokenReferences(root) {
  const isIgnored = readGitIgnore(root);
  const repository = listRepository(root, isIgnored);
  const names = new Set([...repository].map((path) => posix.basename(path)));
  const documents = [...repository].filter((path) => path.endsWith(".md"));
  const texts = new Map(documents.map((path) => [path, readFileSync(join(root, path), "utf8")]));
  const references = documents.flatMap((document) =>
    readLines(texts.get(document)).flatMap(({ number, links, paths }) => {
      const place = `${document}:${number}`;
      return [
        ...links.map((target) => ({
          text: `${place}: link to ${target}`,
          isFound: isLinkFound({ root, texts, document, target }),
        })),
        ...paths.map((path) => ({
          text: `${place}: path ${path}`,
          isFound:
            isIgnored(path.replace(/[/]$/, "")) ||
            isPathFound({ repository, names, document, path }),
        })),
      ];
    }),
  );
  return {
    broken: references.filter(({ isFound }) => !isFound).map(({ text }) => text),
    documentCount: documents.length,
    referenceCount: references.length,
  };
}

/** Guides without a link in the root README, one line each. */
export function findUnlinkedGuides(root) {
  const linked = new Set(
    readLines(readFileSync(join(root, "README.md"), "utf8")).flatMap(({ links }) => links),
  );
  return readdirSync(join(root, "docs/guides"))
    .map((name) => `docs/guides/${name}`)
    .filter((guide) => !linked.has(guide))
    .map((guide) => `README.md: no link to ${guide}`);
}

/**
 * Links and paths of each line. Paths are in inline code, or are source files and folders in fenced code without a
 * language, such as a map.
 */
function readLines(text) {
  let fence = null;
  return text.split("\n").map((line, index) => {
    const number = index + 1;
    const mark = /^\s*```(\w*)/.exec(line);
    if (mark) {
      fence = fence === null ? mark[1] : null;
      return { number, links: [], paths: [] };
    }
    if (fence !== null) {
      const words = fence === "" ? line.split(/\s+/) : [];
      const named = words.filter((word) => isFileName(word) || FOLDER.test(word));
      return { number, links: [], paths: named.map((word) => word.replace(/[/]$/, "")) };
    }
    const words = [...line.matchAll(/`([^`]+)`/g)]
      .flatMap(([, span]) => span.split(/\s+/))
      .map((word) => word.replace(/^[.][/]/, ""));
    return {
      number,
      links: listLinks(line.replaceAll(/`[^`]+`/g, "code")),
      paths: words.filter((word) => isFileName(word) || /^[\w.-]+\//.test(word)),
    };
  });
}

function isFileName(word) {
  return PATH_CHARACTERS.test(word) && SOURCE_FILE.test(word);
}

/** Targets of `[text](target)` and `[name]: target` that stay in the repository. */
function listLinks(prose) {
  const inline = [...prose.matchAll(/\]\(([^)\s]+)\)/g)];
  const named = [...prose.matchAll(/^\[[^\]]+\]:\s+(\S+)/g)];
  return [...inline, ...named]
    .map(([, target]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

function isLinkFound({ root, texts, document, target }) {
  const [path, anchor] = target.split("#");
  const file = path === "" ? document : posix.join(posix.dirname(document), path);
  if (!existsSync(join(root, file))) return false;
  return anchor === undefined || listAnchors(texts.get(file) ?? "").has(anchor);
}

/** Anchors of the headings, in GitHub's format. */
export function listAnchors(text) {
  const anchors = new Set();
  const prose = text.replaceAll(/^\s*```[\s\S]*?^\s*```/gm, "");
  for (const [, heading] of prose.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = words.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count += 1) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

/**
 * Whether the path exists. A word without a known ending is a path only when it ends in `/` or starts with an
 * existing folder.
 */
function isPathFound({ repository, names, document, path }) {
  if (!path.includes("/")) return matchesAny(names, path);
  if (!PATH_CHARACTERS.test(path)) return true;
  const sources = document.startsWith("console/") ? "console/src" : "server/src";
  const bases = [...listFoldersAbove(document), sources, "contract/src"];
  const [first] = path.split("/");
  const isPath =
    SOURCE_FILE.test(path) ||
    path.endsWith("/") ||
    bases.some((base) => repository.has(`${posix.join(base, first)}/`));
  if (!isPath) return true;
  return bases.some((base) => {
    const full = posix.join(base, path);
    return matchesAny(repository, full) || matchesAny(repository, `${full}/`);
  });
}

/** The folder of the document and all above it, the root as "". */
function listFoldersAbove(document) {
  const folders = [];
  for (let folder = dirname(document); folder !== "."; folder = dirname(folder)) {
    folders.push(folder);
  }
  return [...folders, ""];
}

/** Whether a path matches. `<name>` and `*` stand for any name, `{a,b}` for each of the names. */
function matchesAny(paths, pattern) {
  if (!/[<{*]/.test(pattern)) return paths.has(pattern);
  const source = pattern
    .replaceAll(".", "[.]")
    .replaceAll(/<[^>]*>|\*+/g, "[^/]+")
    .replaceAll(/\{([^}]*)\}/g, (_, list) => `(${list.replaceAll(",", "|")})`);
  const expected = new RegExp(`^${source}$`);
  return [...paths].some((path) => expected.test(path));
}

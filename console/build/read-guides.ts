import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type Block, type Heading, toPlainText } from "../src/kit/documents/blocks.ts";
import type { Guide, GuideGroup } from "../src/kit/guides/guide.ts";
import { readMarkdown } from "./read-markdown.ts";

// Reads the guides of docs/guides for the pages at /guides.

const FOLDER = "docs/guides";
/** Documents of other folders that are guides too, by name. */
const otherGuides = { ledger: "docs/ledger.md" };
/** Deepest headings that the table of contents and the search have. */
const DEEPEST_HEADING = 3;

/** Text of a guide, with its path in the repository. */
export interface GuideSource {
  name: string;
  path: string;
  text: string;
}

export function loadGuideSources(root: string): GuideSource[] {
  const own = readdirSync(join(root, FOLDER))
    .filter((file) => file.endsWith(".md"))
    .map((file) => [file.slice(0, -".md".length), `${FOLDER}/${file}`] as const);
  return [...own, ...Object.entries(otherGuides)].map(([name, path]) => ({
    name,
    path,
    text: readFileSync(join(root, path), "utf8"),
  }));
}

/** Reads all guides. Throws for a broken link, a missing anchor, or a part that a page cannot show. */
export function readGuides(sources: readonly GuideSource[]): Guide[] {
  const anchors = new Map(sources.map((source) => [source.path, listAnchors(source)]));
  return sources.map((source) => {
    const mapLink = (target: string) => mapGuideLink(target, source, { sources, anchors });
    return toGuide(source, read(source, mapLink));
  });
}

/** Groups the guides in the order of the names. Guides without a place are at the end. Throws for a name without a guide. */
export function groupGuides(
  guides: readonly Guide[],
  groups: readonly { title: string; guides: readonly string[] }[],
): GuideGroup[] {
  const named = groups.map(({ title, guides: names }) => ({
    title,
    guides: names.map((name) => {
      const guide = guides.find((each) => each.name === name);
      if (!guide) throw new Error(`console/src/guide-names.ts: there is no guide ${name}`);
      return guide;
    }),
  }));
  const listed = new Set(groups.flatMap((group) => group.guides));
  const others = guides.filter(({ name }) => !listed.has(name));
  return others.length === 0 ? named : [...named, { title: "More", guides: others }];
}

function listAnchors(source: GuideSource): ReadonlySet<string> {
  const blocks = read(source, (target) => target);
  return new Set(blocks.flatMap((block) => (block.kind === "heading" ? [block.id] : [])));
}

function read({ path, text }: GuideSource, mapLink: (target: string) => string | null): Block[] {
  try {
    return readMarkdown(text, mapLink);
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function toGuide({ name, path }: GuideSource, [first, ...blocks]: Block[]): Guide {
  if (first?.kind !== "heading") throw new Error(`${path}: a guide begins with its title`);
  const opening = blocks.find((block) => block.kind === "paragraph");
  if (!opening) throw new Error(`${path}: a guide has an opening sentence`);
  const [sentence = ""] = toPlainText(opening.content).split(/(?<=[.:])\s/, 1);
  const headings = blocks.flatMap((block): Heading[] =>
    block.kind === "heading" && block.level <= DEEPEST_HEADING
      ? [{ id: block.id, level: block.level, text: toPlainText(block.content) }]
      : [],
  );
  const lead = sentence.replace(/:$/, ".");
  return { name, title: toPlainText(first.content), lead, headings, blocks };
}

interface Known {
  sources: readonly GuideSource[];
  /** Anchors of each path. */
  anchors: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Address of a link on the page. Null: the target is a file of the repository that the product does not serve.
 * `npm run check` checks that it exists.
 */
function mapGuideLink(
  target: string,
  source: GuideSource,
  { sources, anchors }: Known,
): string | null {
  if (/^https?:/.test(target)) return target;
  // Sample addresses in a sentence are links to Markdown.
  if (target.startsWith("mailto:")) return null;
  if (/^[a-z]+:/i.test(target)) throw new Error(`a link to ${target}`);
  const [file = "", anchor] = target.split("#");
  const path = file === "" ? source.path : posix.join(posix.dirname(source.path), file);
  const guide = sources.find((each) => each.path === path);
  if (!guide) {
    if (path.startsWith(`${FOLDER}/`)) throw new Error(`a link to ${target}, which does not exist`);
    return null;
  }
  if (anchor !== undefined && !anchors.get(path)?.has(anchor)) {
    throw new Error(`a link to ${target}, without such a heading`);
  }
  const hash = anchor === undefined ? "" : `#${anchor}`;
  return guide.name === source.name && hash !== "" ? hash : `/guides/${guide.name}${hash}`;
}

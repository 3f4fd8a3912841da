// One document for each address: the page's files load beside the console's own, and not after them.

/** File of the build, as far as documents need it. */
export interface BuiltFile {
  name: string;
  imports: readonly string[];
  moduleIds: readonly string[];
}

interface DocumentInput {
  /** Document without hints. */
  html: string;
  files: readonly BuiltFile[];
  /** Tests the modules of a page. */
  isOfPage: (moduleId: string) => boolean;
}

/** Adds the files of a page to a document. early.ts requests them, and the fonts, after the start of the console. */
export function addPageFiles({ html, files, isOfPage }: DocumentInput): string {
  const withFonts = html.replaceAll(
    '<link rel="preload" as="font"',
    '<link rel="second" as="font"',
  );
  return addLinks(withFonts, listFiles(files, isOfPage), "second");
}

/** Adds files that a later document needs. load-console.ts fetches them. */
export function addLaterFiles({ html, files, isOfPage }: DocumentInput): string {
  return addLinks(html, listFiles(files, isOfPage), "later");
}

/** Adds a script that runs before the others. */
export function addEarlyScript(html: string, name: string): string {
  const script = `<script type="module" async crossorigin src="/${name}"></script>`;
  return html.replace("</title>\n", `</title>\n${script}\n`);
}

/** Files with these modules, and all that they import. */
function listFiles(files: readonly BuiltFile[], isWanted: (moduleId: string) => boolean): string[] {
  const byName = new Map(files.map((file) => [file.name, file]));
  const found = new Set<string>();
  const waiting = files.filter(({ moduleIds }) => moduleIds.some(isWanted));
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (found.has(file.name)) continue;
    found.add(file.name);
    for (const name of file.imports) {
      const imported = byName.get(name);
      if (imported) waiting.push(imported);
    }
  }
  return [...found].sort();
}

function addLinks(html: string, names: readonly string[], rel: string): string {
  const links = names
    .filter((name) => !html.includes(`/${name}"`))
    .map((name) => `  <link rel="${rel}" crossorigin href="/${name}">\n`);
  return html.replace("</head>", `${links.join("")}</head>`);
}

/** Folders of features that share a file. Each other folder has a file of its own. */
const folders: Record<string, readonly string[]> = {
  reports: ["usage", "cost"],
  limits: ["spend-limits", "rate-limits", "increase-requests"],
  keys: ["api-keys", "waiting-secrets"],
  own: ["personal-keys", "connect", "device", "my-usage"],
  team: ["members", "groups", "invites", "access"],
  reviews: ["access-reviews"],
  security: ["admin-keys", "directories", "security-settings"],
  system: ["system", "upstreams", "model-prices", "mail"],
};

const sectionByFolder = new Map(
  Object.entries(folders).flatMap(([section, names]) => names.map((name) => [name, section])),
);

/** Page modules: `features/<folder>/page.tsx`, `…-page.tsx` and `…-tab.tsx`. Other late modules are parts of a page. */
const PAGE = /\/console\/src\/features\/([^/]+)\/(?:[\w-]+-)?(?:page|tab)\.tsx$/;

/** Modules that load late and have a file of their own, although they are no page. */
const parts: readonly (readonly [id: RegExp, section: string])[] = [
  [/\/console\/src\/ui\/rows-in-view\.tsx$/, "long_tables"],
  [/\/console\/src\/features\/guides\/load-guide\.ts$/, "guides"],
  [/\/console\/src\/features\/docs\/(?:operation-view|error-code-table)\.tsx$/, "reference"],
];
/** The text of one guide, whose file loads with its page only. */
const GUIDE = /virtual:guide\/([\w-]+)$/;

/** Section of a page, or of a part with an own file, by the id of its module. Null: any other module. */
export function sectionOf(id: string): string | null {
  const guide = GUIDE.exec(id)?.[1];
  if (guide !== undefined) return `guide_${guide.replaceAll("-", "_")}`;
  const part = parts.find(([pattern]) => pattern.test(id));
  if (part) return part[1];
  const folder = PAGE.exec(id)?.[1];
  if (folder === undefined) return null;
  const section = sectionByFolder.get(folder) ?? folder.replaceAll("-", "_");
  return isPageBelow(id) ? `${section}_below` : section;
}

/** Page below the first one of a folder, such as one key below the list of keys. Its address has more parts. */
function isPageBelow(id: string): boolean {
  return /-page\.tsx$/.test(id);
}

/** Dialogs, menus and lists, and the toasts, which use the same library. */
export function isOverlay(id: string): boolean {
  return /\/console\/src\/ui\/(overlay-parts\.ts|toast-stack\.tsx)$/.test(id);
}

/** Folders of pages that have another name than their address. */
const folderByPage: Record<string, readonly string[]> = {
  settings: ["organization"],
  // Tabs of one page, which is in the folder of its first tab.
  groups: ["members", "groups"],
  invites: ["members", "invites"],
  access: ["members", "access"],
  "rate-limits": ["spend-limits", "rate-limits"],
};
/** Pages of other folders at addresses below that of a page. */
const pagesBelow: Record<string, RegExp> = {
  workspaces: /\/features\/api-keys\/workspace-keys-tab\.tsx$/,
};

/**
 * Returns a test of a module: whether it is in a folder of the page. `hasBelow`: for an address below that of the page,
 * whose pages may need the first one too.
 */
export function isPageOf(page: string, { hasBelow }: { hasBelow: boolean }) {
  const wanted = folderByPage[page] ?? [page];
  return (id: string): boolean => {
    const isWanted = wanted.includes(PAGE.exec(id)?.[1] ?? "");
    return hasBelow
      ? isWanted || pagesBelow[page]?.test(id) === true
      : isWanted && !isPageBelow(id);
  };
}

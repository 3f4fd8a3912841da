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

/** Section of a page by the id of its module. Null: the module is no page. */
export function sectionOf(id: string): string | null {
  const folder = PAGE.exec(id)?.[1];
  if (folder === undefined) return null;
  return sectionByFolder.get(folder) ?? folder.replaceAll("-", "_");
}

/** Folders of pages that have another name than their address. */
const folderByPage: Record<string, readonly string[]> = {
  settings: ["organization"],
  // Tabs of one page, which is in the folder of its first tab.
  groups: ["members", "groups"],
  invites: ["members", "invites"],
  access: ["members", "access"],
  "rate-limits": ["spend-limits", "rate-limits"],
  workspaces: ["workspaces", "api-keys"],
};

/** Returns a test of a module: whether it is in a folder of the page. */
export function isPageOf(page: string): (id: string) => boolean {
  const wanted = folderByPage[page] ?? [page];
  return (id) => wanted.includes(PAGE.exec(id)?.[1] ?? "");
}

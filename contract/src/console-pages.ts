/**
 * Pages for visitors without a session. The server returns a document of their own, without the code of the other pages.
 */
export const signInPages = ["login", "invite", "reset"] as const;

/**
 * First path segments of console pages: the nouns of the folders and API paths. The server returns the console's document
 * for each of them, and for all paths below. No API path begins with one.
 */
export const consolePages = [
  ...signInPages,
  "setup",
  "usage",
  "cost",
  "statements",
  "requests",
  "api-keys",
  "personal-keys",
  "connect",
  "device",
  "waiting-secrets",
  "my-usage",
  "spend-limits",
  "rate-limits",
  "increase-requests",
  "alerts",
  "workspaces",
  "tags",
  "members",
  "groups",
  "invites",
  "access",
  "access-reviews",
  "admin-keys",
  "model-prices",
  "upstreams",
  "directories",
  "claude-code",
  "audit-log",
  "security-settings",
  "mail",
  "account",
  "system",
  "settings",
  "playground",
  "guides",
  "docs",
] as const;

/**
 * Paths of earlier versions, each with its current path, longer ones first. Bookmarks, e-mails and alert messages still have
 * them. The server returns the console's document for them, and the console's router redirects.
 */
export const movedConsolePages = [
  ["/limits/requests", "/increase-requests"],
  ["/limits/request", "/increase-requests/new"],
  ["/limits/rates", "/rate-limits"],
  ["/limits", "/spend-limits"],
  ["/team/invites", "/invites"],
  ["/team/access", "/access"],
  ["/team", "/members"],
  ["/logs", "/requests"],
  ["/keys", "/api-keys"],
  ["/reviews", "/access-reviews"],
  ["/models", "/model-prices"],
  ["/upstream", "/upstreams"],
  ["/audit", "/audit-log"],
  ["/security", "/security-settings"],
] as const;

/** Current path for a path of an earlier version, with its remainder. Null: the path has not moved. */
export function findMovedPath(path: string): string | null {
  for (const [before, now] of movedConsolePages) {
    if (path === before || path.startsWith(`${before}/`)) return now + path.slice(before.length);
  }
  return null;
}

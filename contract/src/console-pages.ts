/**
 * First parts of the addresses that belong to the console: the noun of the folder and of the API path. The server answers
 * each of them, and all below, with the console's one document. None of them may begin a path of an API.
 */
export const consolePages = [
  "setup",
  "login",
  "invite",
  "reset",
  "usage",
  "cost",
  "requests",
  "api-keys",
  "spend-limits",
  "rate-limits",
  "increase-requests",
  "alerts",
  "workspaces",
  "members",
  "invites",
  "access",
  "access-reviews",
  "admin-keys",
  "model-prices",
  "upstreams",
  "audit-log",
  "security-settings",
  "mail",
  "account",
  "system",
  "settings",
  "playground",
] as const;

/**
 * Addresses of earlier versions, each with its address now, the longer ones first. Bookmarks, sent mails and alert messages
 * still have them. The server answers them with the console, whose router then goes to the new address.
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

/** Path now of an address of an earlier version, with what follows it. Null: it has not moved. */
export function findMovedPath(path: string): string | null {
  for (const [before, now] of movedConsolePages) {
    if (path === before || path.startsWith(`${before}/`)) return now + path.slice(before.length);
  }
  return null;
}

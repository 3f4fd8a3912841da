/**
 * First parts of the addresses that belong to the console. The server answers each of them, and all below, with the
 * console's one document; the console's router knows no address outside of them. Nothing here may begin a path of an API.
 */
export const consolePages = [
  "setup",
  "login",
  "invite",
  "reset",
  "usage",
  "cost",
  "logs",
  "keys",
  "limits",
  "alerts",
  "workspaces",
  "team",
  "reviews",
  "admin-keys",
  "models",
  "upstream",
  "audit",
  "security",
  "mail",
  "account",
  "system",
  "settings",
  "playground",
] as const;

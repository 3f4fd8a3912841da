import { readdirSync, readFileSync } from "node:fs";
import { consolePages } from "@bursar/contract/console-pages.ts";
import { hasRight, isSelfAction, organizationRoles } from "@bursar/contract/permissions.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import { describe, expect, test } from "vitest";
import { places } from "./shell/navigation.ts";

// One noun, one word: the address of a page, its folder, the API path and the label in the rail.

/** Addresses whose folder has another name. */
const foldersByPage: Record<string, string> = {
  login: "sign-in",
  reset: "sign-in",
  invite: "sign-in",
  // The settings page of the organization leads to the other settings too.
  settings: "organization",
};

/** Addresses of documents, which the API does not have. */
const documentPages: readonly string[] = ["guides", "docs"];

/** Addresses that show several nouns of the API, or a longer one. */
const nounsByPage: Record<string, string> = {
  login: "sign_in",
  reset: "password_reset",
  invite: "invites",
  settings: "organization",
  // One's own profile, password, passkeys and sessions.
  account: "profile",
  // The code of one sign-in.
  device: "device_authorizations",
  // Tabs of laptops, settings and sessions.
  "claude-code": "laptops",
  // How programs use this server.
  connect: "server_address",
  // The API also names the kind of limit.
  "increase-requests": "spend_limit_increase_requests",
};

/** Places of the rail that hold several nouns as tabs. */
const labelsByAddress: Record<string, string> = {
  "/": "Overview",
  "/spend-limits": "Limits",
  "/members": "Team",
};

const folders = readdirSync(new URL("features", import.meta.url));
const nouns = new Set(adminRoutes.map(({ path }) => /^\/v1\/admin\/([a-z_]+)/.exec(path)?.[1]));

describe("each address of the console", () => {
  test.each(consolePages)("/%s has the name of its folder", (page) => {
    expect(folders).toContain(foldersByPage[page] ?? page);
  });

  const ofApi = consolePages.filter((page) => !documentPages.includes(page));
  test.each(ofApi)("/%s has the name of its API path", (page) => {
    expect(nouns).toContain(nounsByPage[page] ?? page.replaceAll("-", "_"));
  });

  test.each(readRoutes())("$path loads its page from features/$folder", ({ path, folder }) => {
    const page = path.split("/")[1] ?? "";
    expect(folder).toBe(path === "/" ? "overview" : (foldersByPage[page] ?? page));
  });
});

test("each address has a route", () => {
  const pages = new Set(readRoutes().map(({ path }) => path.split("/")[1]));
  expect(pages).toEqual(new Set(["", ...consolePages]));
});

test("each folder of features has an address", () => {
  const owned = consolePages.map((page) => foldersByPage[page] ?? page);
  expect(folders.filter((folder) => folder !== "overview" && !owned.includes(folder))).toEqual([]);
});

test("each label of the rail is the noun of its address", () => {
  for (const { label, to = "" } of places.flatMap(({ items }) => items)) {
    const noun = to.slice(1).replaceAll("-", " ");
    expect([to, label.toLowerCase()]).toEqual([to, (labelsByAddress[to] ?? noun).toLowerCase()]);
  }
});

test("the rail of every role has Connect", () => {
  const { action } = places.flatMap(({ items }) => items).find(({ to }) => to === "/connect") ?? {};
  const hasConnect = organizationRoles.map(
    (role) => action !== undefined && isSelfAction(action) && hasRight(role, action),
  );
  expect(new Set(hasConnect)).toEqual(new Set([true]));
});

/** Routes below the shell, the root or a frame of tabs, as the files of `routes/` have them. */
function readRoutes(): { path: string; folder: string }[] {
  const folder = new URL("routes/", import.meta.url);
  const source = readdirSync(folder)
    .map((name) => readFileSync(new URL(name, folder), "utf8"))
    .join("\n");
  const loaders = new Map(
    [...source.matchAll(/const (\w+) = \(\) => import\("\.\.\/features\/([\w-]+)\//g)].map(
      ([, name = "", folder = ""]) => [name, folder] as const,
    ),
  );
  const routes = source
    .split("createRoute({")
    .slice(1)
    .flatMap((text) => {
      const isNested = !/getParentRoute: \(\) => (root|shell|documents|limits|team),/.test(text);
      const path = /\bpath: "([^"]+)"/.exec(text)?.[1];
      const folder =
        /import\("\.\.\/features\/([\w-]+)\//.exec(text)?.[1] ??
        loaders.get(/lazyRouteComponent\((\w+)/.exec(text)?.[1] ?? "");
      return isNested || !path || !folder ? [] : [{ path, folder }];
    });
  const ofVisitors = [...source.matchAll(/\{ path: "([^"]+)", component: (\w+) \}/g)].map(
    ([, path = "", component = ""]) => ({
      path,
      folder:
        new RegExp(`\\{ ${component} \\} from "\\.\\./features/([\\w-]+)/`).exec(source)?.[1] ?? "",
    }),
  );
  return [...routes, ...ofVisitors];
}

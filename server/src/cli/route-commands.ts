import { isSelfAction } from "@bursar/contract/permissions.ts";
import type { RouteSpec } from "@bursar/contract/route.ts";
import { adminRoutes } from "@bursar/contract/routes.ts";
import { groupAliases } from "./command-groups.ts";
import { type CommandStyle, findStyle, listVariants } from "./command-styles.ts";

// Chooses the routes that are commands and derives their names: `workspaces/{id}/archive` is `workspaces archive`.

/** A command that calls one route. */
export interface RouteCommand {
  route: RouteSpec;
  group: string;
  /** Empty if the group itself is the command: `setup-link`. */
  action: string;
  style: CommandStyle;
}

const COMPANY = "/v1/admin/";

/** Lists one command for each route of a key or the local operator, in the contract's order. */
export function listRouteCommands(routes: readonly RouteSpec[] = adminRoutes): RouteCommand[] {
  const commands: RouteCommand[] = [];
  const taken = new Set<string>();
  const add = (command: RouteCommand) => {
    const name = nameOf(command);
    if (taken.has(name)) return false;
    taken.add(name);
    commands.push(command);
    return true;
  };
  for (const route of routes.filter(isCommand)) {
    const command = toCommand(route, routes);
    // Two routes of one name: the second has the name of its operation, which is unique.
    if (!add(command)) add({ ...command, action: toKebab(route.operationId) });
    for (const style of listVariants(route.operationId)) {
      add({ ...command, action: style.action ?? command.action, style });
    }
  }
  return commands;
}

export function nameOf({ group, action }: Pick<RouteCommand, "group" | "action">): string {
  return action === "" ? group : `${group} ${action}`;
}

/** Routes for people belong to the browser. Official shapes that repeat another route are no commands. */
export function isCommand(route: RouteSpec): boolean {
  if (route.action === "public" || isSelfAction(route.action)) return false;
  return route.path.startsWith(COMPANY) || route.operationId === "getOrganization";
}

function toCommand(route: RouteSpec, routes: readonly RouteSpec[]): RouteCommand {
  const style = findStyle(route.operationId);
  const derived = deriveName(route, routes);
  const group = style.group ?? groupAliases[derived.group]?.name ?? derived.group;
  return { route, group, action: style.action ?? derived.action, style };
}

/**
 * Derives the name from the path. A collection is a group, and the operation's verb is the action. A word after an id
 * or a collection is an action of that group. If it is a collection itself, both words form the group.
 */
function deriveName(
  route: RouteSpec,
  routes: readonly RouteSpec[],
): { group: string; action: string } {
  const path = route.path.startsWith(COMPANY) ? route.path.slice(COMPANY.length) : "organization";
  const segments = path.split("/");
  const isItem = isParam(segments.at(-1));
  const base = isItem ? segments.slice(0, -1) : segments;
  const words = base.filter((segment) => !isParam(segment));
  const verb = verbOf(route);
  if (words.length < 2 || isItem || isCollection(route, routes)) {
    return { group: toGroup(words), action: verb };
  }
  return { group: toGroup(words.slice(0, -1)), action: toKebab(words.at(-1) ?? "") };
}

/** `workspaces`, `members` becomes `workspace-members`. */
function toGroup(words: readonly string[]): string {
  return toKebab([...words.slice(0, -1).map(toSingular), ...words.slice(-1)].join("-"));
}

/** Verb of the operation: `listApiKeys`, `setSpendLimit`. */
function verbOf(route: RouteSpec): string {
  return /^[a-z]+/.exec(route.operationId)?.[0] ?? "call";
}

function isCollection(route: RouteSpec, routes: readonly RouteSpec[]): boolean {
  if (route.method === "GET" && isList(route)) return true;
  return routes.some(
    (other) =>
      other !== route &&
      (other.path.startsWith(`${route.path}/{`) ||
        (other.path === route.path && other.method !== route.method)),
  );
}

/** True if the response has the entries of one page. */
export function isList(route: RouteSpec): boolean {
  return "data" in route.response.shape && route.streams === undefined;
}

function isParam(segment: string | undefined): boolean {
  return segment?.startsWith("{") === true;
}

/** `api_keys`, `apiKeys`: `api-keys`. */
export function toKebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replaceAll("_", "-");
}

function toSingular(word: string): string {
  return word.replace(/ies$/, "y").replace(/s$/, "");
}

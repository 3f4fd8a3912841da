import {
  type Action,
  adminKeyRole,
  inheritedRole,
  isOperatorAction,
  isOrganizationAction,
  isSelfAction,
  isWorkspaceAction,
  type OrganizationAction,
  type OrganizationRole,
  organizationActions,
  organizationRoles,
  permissionFor,
  type Reach,
  reachOfRole,
  roleMay,
  roleNames,
  selfActions,
  type WorkspaceAction,
  type WorkspaceRole,
  wordsOf,
  workspaceActions,
  workspaceRoles,
} from "./permissions.ts";

// Describes the table of rights for refusals, the OpenAPI document and docs/guides/permissions.md.

const adminKey = "an admin key (sk-ant-admin01-…)";

/** Callers with the right, to follow "needs". `everywhere`: on the whole organization instead of one workspace. */
export function whoMay(action: OrganizationAction | WorkspaceAction, reach?: "everywhere"): string {
  if (isOrganizationAction(action)) {
    const roles = organizationRoles.filter((role) => roleMay(role, action));
    return roles.includes(adminKeyRole)
      ? `${adminKey} or the role ${oneOf(roles)}`
      : `the role ${oneOf(roles)}, or the command line on the server's own machine`;
  }
  if (reach === "everywhere") {
    const roles = organizationRoles.filter((role) => reachEverywhere(role, action) !== null);
    return `${adminKey} or the role ${oneOf(roles)}`;
  }
  const roles = workspaceRoles.filter((role) => reachOfRole(role, action) !== null);
  const key = `an API key of the workspace with the permission "${permissionFor(action)}"`;
  return `${adminKey}, ${key}, or the role ${oneOf(roles)} there`;
}

/** Rights that a caller of the action needs, as a sentence of a route's description. */
export function needs(action: Action): string {
  if (action === "public") return "Needs no sign-in.";
  if (isSelfAction(action)) return "Needs a signed-in member.";
  if (isOperatorAction(action)) return "Needs the command line on the server's own machine.";
  if (isOrganizationAction(action)) return `Needs ${whoMay(action)}.`;
  if (!isWorkspaceAction(action)) {
    return `Needs an API key with the permission \`${permissionFor(action)}\`.`;
  }
  const own = workspaceRoles.filter((role) => reachOfRole(role, action) === "own");
  const limit = own.length === 0 ? "" : ` ${oneOf(own)}: only their own.`;
  return `Needs ${whoMay(action)}.${limit}`;
}

function reachEverywhere(role: OrganizationRole, action: WorkspaceAction): Reach | null {
  const inherited = inheritedRole(role);
  return inherited && reachOfRole(inherited, action);
}

function oneOf(roles: readonly (OrganizationRole | WorkspaceRole)[]): string {
  const names = roles.map((role) => roleNames[role]);
  const last = names.pop() ?? "";
  return names.length === 0 ? last : `${names.join(", ")} or ${last}`;
}

const marks: Record<Reach, string> = { all: "yes", own: "own" };
const mark = (reach: Reach | null) => (reach === null ? "–" : marks[reach]);
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Both tables of the permissions guide, in Markdown. */
export function permissionTables(): { organization: string; workspace: string } {
  const organization = table(
    ["In the organization", ...organizationRoles.map((role) => roleNames[role]), "Admin key"],
    [...organizationActions, ...selfActions].map((action) => [
      capital(wordsOf(action)),
      ...organizationRoles.map((role) => (roleMay(role, action) ? "yes" : "–")),
      !isSelfAction(action) && roleMay(adminKeyRole, action) ? "yes" : "–",
    ]),
  );
  const workspace = table(
    [
      "In a workspace",
      ...workspaceRoles.map((role) => roleNames[role].replace("Workspace ", "")),
      "Its API key",
    ],
    workspaceActions.map((action) => [
      capital(wordsOf(action)),
      ...workspaceRoles.map((role) => mark(reachOfRole(role, action))),
      `\`${permissionFor(action)}\``,
    ]),
  );
  return { organization, workspace };
}

/** Table of the organization roles in Markdown, one row each. */
export function roleTable(): string {
  return table(
    ["Role", "In every workspace", "In the organization"],
    organizationRoles.map((role) => {
      const inherited = inheritedRole(role);
      return [
        roleNames[role],
        inherited === null
          ? "the rights of the role there"
          : `the rights of ${roleNames[inherited]}`,
        summary(role),
      ];
    }),
  );
}

function summary(role: OrganizationRole): string {
  const may = organizationActions.filter((action) => roleMay(role, action));
  const missing = organizationActions.filter((action) => !roleMay(role, action));
  if (missing.length === 0) return "everything";
  if (may.length === 0) return "nothing";
  return missing.length < may.length
    ? `everything except: ${missing.map(wordsOf).join("; ")}`
    : may.map(wordsOf).join("; ");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

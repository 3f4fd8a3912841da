import {
  type Action,
  adminKeyRole,
  adminKeyScopes,
  describeAction,
  describeScope,
  findInheritedRole,
  findRank,
  findReach,
  findRequiredPermission,
  hasRight,
  isOperatorAction,
  isOrganizationAction,
  isSelfAction,
  isWorkspaceAction,
  type OrganizationAction,
  type OrganizationRole,
  organizationActions,
  organizationRoles,
  type RankedCaller,
  type RankSubject,
  type Reach,
  rankedCallers,
  ranks,
  roleNames,
  selfActions,
  type WorkspaceAction,
  type WorkspaceRole,
  workspaceActions,
  workspaceRoles,
} from "./permissions.ts";

// Describes the table of rights for refusals, the OpenAPI document and docs/guides/permissions.md.

const adminKey = "an admin key (sk-ant-admin01-…)";

/** Callers with the right, to follow "needs". `everywhere`: on the whole organization instead of one workspace. */
export function describeCallers(
  action: OrganizationAction | WorkspaceAction,
  reach?: "everywhere",
): string {
  if (isOrganizationAction(action)) {
    const roles = organizationRoles.filter((role) => hasRight(role, action));
    return roles.includes(adminKeyRole)
      ? `${adminKey} or the role ${joinRoleNames(roles)}`
      : `the role ${joinRoleNames(roles)}, or the command line on the server's own machine`;
  }
  if (reach === "everywhere") {
    const roles = organizationRoles.filter((role) => findReachEverywhere(role, action) !== null);
    return `${adminKey} or the role ${joinRoleNames(roles)}`;
  }
  const roles = workspaceRoles.filter((role) => findReach(role, action) !== null);
  const key = `an API key of the workspace with the permission "${findRequiredPermission(action)}"`;
  return `${adminKey}, ${key}, or the role ${joinRoleNames(roles)} there`;
}

/** Rights that a caller of the action needs, as a sentence of a route's description. */
export function describeRequirement(action: Action): string {
  if (action === "public") return "Needs no sign-in.";
  if (isSelfAction(action)) return "Needs a signed-in member.";
  if (isOperatorAction(action)) return "Needs the command line on the server's own machine.";
  if (isOrganizationAction(action)) return `Needs ${describeCallers(action)}.`;
  if (!isWorkspaceAction(action)) {
    return `Needs an API key with the permission \`${findRequiredPermission(action)}\`.`;
  }
  const own = workspaceRoles.filter((role) => findReach(role, action) === "own");
  const limit = own.length === 0 ? "" : ` ${joinRoleNames(own)}: only their own.`;
  return `Needs ${describeCallers(action)}.${limit}`;
}

function findReachEverywhere(role: OrganizationRole, action: WorkspaceAction): Reach | null {
  const inherited = findInheritedRole(role);
  return inherited && findReach(inherited, action);
}

function joinRoleNames(roles: readonly (OrganizationRole | WorkspaceRole)[]): string {
  const names = roles.map((role) => roleNames[role]);
  const last = names.pop() ?? "";
  return names.length === 0 ? last : `${names.join(", ")} or ${last}`;
}

const reachMarks: Record<Reach, string> = { all: "yes", own: "own" };
const formatReach = (reach: Reach | null) => (reach === null ? "–" : reachMarks[reach]);
const capitalize = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Both tables of the permissions guide, in Markdown. */
export function renderPermissionTables(): { organization: string; workspace: string } {
  const organization = renderTable(
    ["In the organization", ...organizationRoles.map((role) => roleNames[role]), "Admin key"],
    [...organizationActions, ...selfActions].map((action) => [
      capitalize(describeAction(action)),
      ...organizationRoles.map((role) => (hasRight(role, action) ? "yes" : "–")),
      !isSelfAction(action) && hasRight(adminKeyRole, action) ? "yes" : "–",
    ]),
  );
  const workspace = renderTable(
    [
      "In a workspace",
      ...workspaceRoles.map((role) => roleNames[role].replace("Workspace ", "")),
      "Its API key",
    ],
    workspaceActions.map((action) => [
      capitalize(describeAction(action)),
      ...workspaceRoles.map((role) => formatReach(findReach(role, action))),
      `\`${findRequiredPermission(action)}\``,
    ]),
  );
  return { organization, workspace };
}

/** Table of the organization roles in Markdown, one row each. */
export function renderRoleTable(): string {
  return renderTable(
    ["Role", "In every workspace", "In the organization"],
    organizationRoles.map((role) => {
      const inherited = findInheritedRole(role);
      return [
        roleNames[role],
        inherited === null
          ? "the rights of the role there"
          : `the rights of ${roleNames[inherited]}`,
        summarizeRole(role),
      ];
    }),
  );
}

const callerNames: Readonly<Record<RankedCaller, string>> = {
  ...roleNames,
  local_operator: "the operator on the server's machine",
  admin_key: "admin key",
  api_key: "API key with `admin`",
};

/** Table of the ranks in Markdown, highest first. */
export function renderRankTable(): string {
  const listCallers = (rank: string, subject: RankSubject) =>
    rankedCallers
      .filter((caller) => findRank(caller, subject) === rank)
      .map((caller) => callerNames[caller])
      .join(", ");
  return renderTable(
    ["Rank", "For keys", "For limits"],
    ranks.map((rank) => [`\`${rank}\``, listCallers(rank, "keys"), listCallers(rank, "limits")]),
  );
}

/** Table of the scopes of admin keys in Markdown. */
export function renderScopeTable(): string {
  return renderTable(
    ["Scope", "The key may"],
    adminKeyScopes.map((scope) => [`\`${scope}\``, describeScope(scope)]),
  );
}

function summarizeRole(role: OrganizationRole): string {
  const may = organizationActions.filter((action) => hasRight(role, action));
  const missing = organizationActions.filter((action) => !hasRight(role, action));
  if (missing.length === 0) return "everything";
  if (may.length === 0) return "nothing";
  return missing.length < may.length
    ? `everything except: ${missing.map(describeAction).join("; ")}`
    : may.map(describeAction).join("; ");
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

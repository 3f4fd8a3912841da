import {
  describeAction,
  findInheritedRole,
  findReach,
  hasRight,
  organizationActions,
  organizationRoles,
  roleNames,
  workspaceActions,
  workspaceRoles,
} from "@bursar/contract/permissions.ts";
import { Check } from "lucide-react";
import { roleHints, workspaceRoleHints } from "../../kit/members/role-words.ts";
import { Facts, Section } from "../../ui/page.tsx";

type Mark = "all" | "own" | null;

/** Rights of every role, from the contract's table of rights. */
export function RolesTab() {
  return (
    <div className="grid gap-10">
      <Section
        title="Company roles"
        lead="Each member has one company role. Owners and Admins are Workspace Admins everywhere. Billing members see the cost of all workspaces."
      >
        <RoleTable
          label="Company rights"
          roles={organizationRoles.map((role) => ({
            name: roleNames[role],
            hint: roleHints[role],
          }))}
          rows={organizationActions.map((action) => ({
            what: describeAction(action as never),
            marks: organizationRoles.map((role) =>
              hasRight(role, action as never) ? "all" : null,
            ),
          }))}
        />
      </Section>
      <Section
        title="Workspace roles"
        lead="Assigned per workspace, or inherited from the company role. “Own” covers the member’s keys and usage."
      >
        <RoleTable
          label="Workspace rights"
          roles={workspaceRoles.map((role) => ({
            name: roleNames[role].replace("Workspace ", ""),
            hint: workspaceRoleHints[role] + inheritedBy(role),
          }))}
          rows={workspaceActions.map((action) => ({
            what: describeAction(action as never),
            marks: workspaceRoles.map((role) => findReach(role, action as never)),
          }))}
        />
      </Section>
    </div>
  );
}

function inheritedBy(role: (typeof workspaceRoles)[number]): string {
  const from = organizationRoles.filter((name) => findInheritedRole(name) === role);
  return from.length === 0
    ? ""
    : ` Inherited by ${from.map((name) => roleNames[name]).join(", ")}.`;
}

interface RoleTableProps {
  label: string;
  roles: readonly { name: string; hint: string }[];
  rows: readonly { what: string; marks: readonly Mark[] }[];
}

function RoleTable({ label, roles, rows }: RoleTableProps) {
  return (
    <div className="grid gap-6">
      <Facts items={roles.map(({ name, hint }) => [name, hint] as const)} />
      <RightsTable label={label} roles={roles} rows={rows} />
    </div>
  );
}

function RightsTable({ label, roles, rows }: RoleTableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboard users must reach scrollable content.
    <section className="overflow-x-auto" tabIndex={0} aria-label={label}>
      <table className="w-full min-w-2xl border-collapse text-sm">
        <thead>
          <tr className="border-y border-line align-bottom">
            <th
              scope="col"
              className="sticky left-0 bg-paper py-2 pr-4 text-left text-xs font-medium text-quiet"
            >
              Right
            </th>
            {roles.map(({ name }) => (
              <th key={name} scope="col" className="px-2 py-2 text-center text-xs font-medium">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map(({ what, marks }) => (
            <tr key={what} className="group">
              <th
                scope="row"
                className="sticky left-0 max-w-44 bg-paper py-2 pr-4 text-left font-normal first-letter:uppercase group-hover:bg-sunk sm:max-w-none"
              >
                {what}
              </th>
              {marks.map((mark, index) => (
                <td key={roles[index]?.name} className="px-2 text-center group-hover:bg-sunk">
                  <MarkSign mark={mark} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function MarkSign({ mark }: { mark: Mark }) {
  switch (mark) {
    case "all":
      return <Check size={16} aria-label="yes" className="mx-auto text-accent" />;
    case "own":
      return <span className="text-xs text-quiet">own</span>;
    case null:
      return (
        <span className="text-faint" role="img" aria-label="no">
          –
        </span>
      );
  }
}

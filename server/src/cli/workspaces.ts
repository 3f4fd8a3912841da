import { createWorkspace, listWorkspaces } from "@bursar/contract/admin/workspaces.ts";
import type { Command } from "commander";
import { listAll } from "./list-all.ts";
import { type CallApi, callRoute } from "./local-api.ts";
import { print, table } from "./print.ts";

/** `workspaces create` and `workspaces list`. */
export function addWorkspaceCommands(program: Command, callApi: CallApi): void {
  const workspaces = program.command("workspaces").description("workspaces of the organization");
  workspaces
    .command("create <name>")
    .description("make a workspace")
    .option("--description <text>", "what it is for")
    .action(async (name: string, options: { description?: string }) => {
      const body = { name, description: options.description };
      const made = await callRoute(callApi, createWorkspace, { body });
      print(program.opts(), made, () => `${made.id}  ${made.name}`);
    });
  workspaces
    .command("list")
    .description("list workspaces")
    .option("--archived", "archived ones too")
    .action(async (options: { archived?: true }) => {
      const data = await listAll(callApi, listWorkspaces, { include_archived: options.archived });
      print(program.opts(), { data }, () =>
        table(
          ["id", "name", "created", ...(options.archived ? ["archived"] : [])],
          data.map((workspace) => [
            workspace.id,
            workspace.name,
            workspace.created_at,
            workspace.archived_at ?? "",
          ]),
        ),
      );
    });
}

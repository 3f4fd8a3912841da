import type { Command } from "commander";
import { listAll } from "./keys.ts";
import type { CallApi } from "./local-api.ts";
import { print, table } from "./print.ts";

interface WorkspaceOnTheWire {
  id: string;
  name: string;
  description: string | null;
  archived_at: string | null;
}

/** `workspaces create` and `workspaces list`. */
export function addWorkspaceCommands(program: Command, callApi: CallApi): void {
  const workspaces = program.command("workspaces").description("workspaces of the organization");
  workspaces
    .command("create <name>")
    .description("make a workspace")
    .option("--description <text>", "what it is for")
    .action(async (name: string, options: { description?: string }) => {
      const body = { name, ...(options.description && { description: options.description }) };
      const made = (await callApi("POST", "/v1/admin/workspaces", body)) as WorkspaceOnTheWire;
      print(program.opts(), made, () => `${made.id}  ${made.name}`);
    });
  workspaces
    .command("list")
    .description("list workspaces")
    .action(async () => {
      const data = await listAll<WorkspaceOnTheWire>(callApi, "/v1/admin/workspaces");
      print(program.opts(), data, () =>
        table(
          ["id", "name", "archived"],
          data.map((w) => [w.id, w.name, w.archived_at ?? ""]),
        ),
      );
    });
}

import type { Command } from "commander";
import { type CallApi, CommandError, exitCodes } from "./local-api.ts";
import { type OutputOptions, print, table } from "./print.ts";

interface KeyOnTheWire {
  id: string;
  name: string;
  status: string;
  partial_key_hint: string;
  created_at: string;
  expires_at: string | null;
}
interface ApiKeyOnTheWire extends KeyOnTheWire {
  workspace_id: string;
  permissions: string[];
}
type WithSecret<T> = T & { key: string };
interface Listed<T> {
  data: T[];
  next_page: string | null;
}

/** `admin-keys` and `api-keys`. A secret is printed once, alone when the output is piped into a variable or a file. */
export function addKeyCommands(program: Command, callApi: CallApi): void {
  addAdminKeys(program, callApi);
  addApiKeys(program, callApi);
}

function addAdminKeys(program: Command, callApi: CallApi): void {
  const keys = program.command("admin-keys").description("keys of the Admin API");
  keys
    .command("create")
    .description("make an admin key; its secret is shown once")
    .requiredOption("--name <name>", "what the key is for")
    .option("--expires-at <time>", "RFC 3339 time after which it stops")
    .action(async (options: { name: string; expiresAt?: string }) => {
      const body = {
        name: options.name,
        ...(options.expiresAt && { expires_at: options.expiresAt }),
      };
      const key = await callApi("POST", "/v1/admin/admin_keys", body);
      printSecret(program.opts(), key as WithSecret<KeyOnTheWire>);
    });
  keys
    .command("list")
    .description("list admin keys")
    .action(async () => {
      const data = await listAll<KeyOnTheWire>(callApi, "/v1/admin/admin_keys");
      print(program.opts(), data, () =>
        table(
          ["id", "name", "status", "key", "expires"],
          data.map((key) => [
            key.id,
            key.name,
            key.status,
            key.partial_key_hint,
            key.expires_at ?? "never",
          ]),
        ),
      );
    });
  keys
    .command("revoke <id>")
    .description("stop an admin key for good")
    .action(async (id: string) => {
      const key = await callApi("POST", `/v1/admin/admin_keys/${encodeURIComponent(id)}/revoke`);
      print(program.opts(), key, () => `Revoked ${id}.`);
    });
}

function addApiKeys(program: Command, callApi: CallApi): void {
  const keys = program.command("api-keys").description("keys of a workspace, for the Claude API");
  keys
    .command("create")
    .description("make a key in a workspace; its secret is shown once")
    .requiredOption("--workspace <id or name>", "the workspace it belongs to")
    .requiredOption("--name <name>", "what the key is for")
    .option("--permission <permission>", "read, write or admin", "write")
    .option("--expires-at <time>", "RFC 3339 time after which it stops")
    .action(
      async (options: {
        workspace: string;
        name: string;
        permission: string;
        expiresAt?: string;
      }) => {
        const body = {
          name: options.name,
          workspace_id: await findWorkspaceId(callApi, options.workspace),
          permissions: [options.permission],
          ...(options.expiresAt && { expires_at: options.expiresAt }),
        };
        const key = await callApi("POST", "/v1/admin/api_keys", body);
        printSecret(program.opts(), key as WithSecret<ApiKeyOnTheWire>);
      },
    );
  keys
    .command("list")
    .description("list keys of all workspaces")
    .action(async () => {
      const data = await listAll<ApiKeyOnTheWire>(callApi, "/v1/admin/api_keys");
      print(program.opts(), data, () =>
        table(
          ["id", "name", "workspace", "permission", "status", "key"],
          data.map((key) => [
            key.id,
            key.name,
            key.workspace_id,
            key.permissions.join(","),
            key.status,
            key.partial_key_hint,
          ]),
        ),
      );
    });
}

function printSecret(options: OutputOptions, key: WithSecret<KeyOnTheWire>): void {
  print(options, key, () => {
    if (!process.stdout.isTTY) return key.key;
    return `${key.key}\n\nThis is ${key.name} (${key.id}). It is shown this once: keep it in a safe place.`;
  });
}

/** Follows the cursor to the end of a list. */
export async function listAll<T>(callApi: CallApi, path: string): Promise<T[]> {
  const all: T[] = [];
  let page: string | null = null;
  do {
    const query: string =
      page === null ? "?limit=1000" : `?limit=1000&page=${encodeURIComponent(page)}`;
    const answer = (await callApi("GET", path + query)) as Listed<T>;
    all.push(...answer.data);
    page = answer.next_page;
  } while (page !== null);
  return all;
}

async function findWorkspaceId(callApi: CallApi, idOrName: string): Promise<string> {
  if (idOrName.startsWith("wksp_")) return idOrName;
  const workspaces = await listAll<{ id: string; name: string; archived_at: string | null }>(
    callApi,
    "/v1/admin/workspaces",
  );
  const wanted = idOrName.toLowerCase();
  const found = workspaces.find((w) => w.archived_at === null && w.name.toLowerCase() === wanted);
  if (!found) throw new CommandError(`Workspace not found: ${idOrName}`, exitCodes.notFound);
  return found.id;
}

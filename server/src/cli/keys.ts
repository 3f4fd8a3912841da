import {
  createAdminKey,
  type createdAdminKey,
  listAdminKeys,
  revokeAdminKey,
} from "@bursar/contract/admin/admin-keys.ts";
import { createApiKey, type createdApiKey, listApiKeys } from "@bursar/contract/admin/api-keys.ts";
import { listWorkspaces } from "@bursar/contract/admin/workspaces.ts";
import { type KeyPermission, keyPermissions } from "@bursar/contract/permissions.ts";
import { type Command, Option } from "commander";
import type { z } from "zod";
import { listAll } from "./list-all.ts";
import { type CallApi, CommandError, callRoute, exitCodes } from "./local-api.ts";
import { type OutputOptions, print, table } from "./print.ts";

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
      const body = { name: options.name, expires_at: options.expiresAt };
      printSecret(program.opts(), await callRoute(callApi, createAdminKey, { body }));
    });
  keys
    .command("list")
    .description("list admin keys, revoked and expired ones too")
    .action(async () => {
      const data = await listAll(callApi, listAdminKeys);
      print(program.opts(), { data }, () =>
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
      const key = await callRoute(callApi, revokeAdminKey, { params: { admin_key_id: id } });
      print(program.opts(), key, () => `Revoked ${key.name} (${key.id}).`);
    });
}

interface ApiKeyOptions {
  workspace: string;
  name: string;
  permission: KeyPermission;
  expiresAt?: string;
}

function addApiKeys(program: Command, callApi: CallApi): void {
  const keys = program.command("api-keys").description("keys of a workspace, for the Claude API");
  keys
    .command("create")
    .description("make a key in a workspace; its secret is shown once")
    .requiredOption("--workspace <id or name>", "the workspace it belongs to")
    .requiredOption("--name <name>", "what the key is for")
    .addOption(
      new Option("--permission <permission>", "what it may do")
        .choices(keyPermissions)
        .default("write"),
    )
    .option("--expires-at <time>", "RFC 3339 time after which it stops")
    .action(async (options: ApiKeyOptions) => {
      const body = {
        name: options.name,
        workspace_id: await findWorkspaceId(callApi, options.workspace),
        permissions: [options.permission],
        expires_at: options.expiresAt,
      };
      printSecret(program.opts(), await callRoute(callApi, createApiKey, { body }));
    });
  keys
    .command("list")
    .description("list keys of all workspaces")
    .action(async () => {
      const data = await listAll(callApi, listApiKeys);
      print(program.opts(), { data }, () =>
        table(
          ["id", "name", "workspace", "permission", "status", "key", "expires"],
          data.map((key) => [
            key.id,
            key.name,
            key.workspace_id,
            key.permissions.join(","),
            key.status,
            key.partial_key_hint,
            key.expires_at ?? "never",
          ]),
        ),
      );
    });
}

type CreatedKey = z.output<typeof createdAdminKey> | z.output<typeof createdApiKey>;

function printSecret(options: OutputOptions, key: CreatedKey): void {
  print(options, key, () => {
    if (!process.stdout.isTTY) return key.key;
    return `${key.key}\n\nThis is ${key.name} (${key.id}). It is shown this once: keep it in a safe place.`;
  });
}

async function findWorkspaceId(callApi: CallApi, idOrName: string): Promise<string> {
  if (idOrName.startsWith("wksp_")) return idOrName;
  const wanted = comparable(idOrName);
  const workspaces = await listAll(callApi, listWorkspaces);
  const found = workspaces.find(({ name }) => comparable(name) === wanted);
  if (!found) throw new CommandError(`Workspace not found: ${idOrName}`, exitCodes.notFound);
  return found.id;
}

/** As the server compares names. */
function comparable(name: string): string {
  return name.normalize("NFC").trim().toLowerCase();
}

import { open, rm } from "node:fs/promises";
import {
  exportAuditEvents,
  exportFormats,
  verifyAuditLog,
} from "@bursar/contract/admin/audit-log.ts";
import { type Command, Option } from "commander";
import type { LoadedConfig } from "#src/config.ts";
import {
  CommandError,
  callRoute,
  exitCodes,
  makeLocalApi,
  streamLocally,
  targetOf,
} from "./local-api.ts";
import { print } from "./print.ts";

/** A log of ten million events takes minutes, and the server says nothing meanwhile. */
const VERIFY_TIMEOUT_MS = 3_600_000;

/** `audit verify` and `audit export`. */
export function addAuditCommands(program: Command, load: () => LoadedConfig): void {
  const audit = program.command("audit").description("the log of every change");
  audit
    .command("verify")
    .description("prove that no event was changed, added or removed; exits with 1 when one was")
    .action(async () => {
      const callApi = makeLocalApi(load().config.dataDir, VERIFY_TIMEOUT_MS);
      const result = await callRoute(callApi, verifyAuditLog);
      print(program.opts(), result, () => describe(result));
      if (!result.is_intact) process.exitCode = exitCodes.error;
    });
  audit
    .command("export")
    .description("write events to a file or to standard output, oldest first")
    .addOption(new Option("--format <format>", "how").choices(exportFormats).default("jsonl"))
    .option("--output <file>", "a new file; only its owner can read it")
    .option("--event <name>", "only events of this name, or beginning so: `api_key.`")
    .option("--from <time>", "RFC 3339 time; not before it")
    .option("--to <time>", "RFC 3339 time; before it")
    .action((options: ExportOptions) => exportEvents(load().config.dataDir, options));
}

interface ExportOptions {
  format: (typeof exportFormats)[number];
  output?: string;
  event?: string;
  from?: string;
  to?: string;
}

async function exportEvents(dataDir: string, options: ExportOptions): Promise<void> {
  const { format, event, from, to, output } = options;
  const query = { format, event, starting_at: from, ending_at: to };
  const target = targetOf(exportAuditEvents, { query });
  if (output === undefined) return streamLocally(dataDir, target, process.stdout);
  const file = await openNewFile(output);
  try {
    await streamLocally(dataDir, target, file.createWriteStream());
  } catch (error) {
    await rm(output, { force: true }); // half a log is no log
    throw error;
  }
}

async function openNewFile(path: string) {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${path} cannot be made: ${reason}`, exitCodes.usage);
  }
}

type Verification = Awaited<ReturnType<typeof callRoute<typeof verifyAuditLog>>>;

function describe({ is_intact, events, head, first_broken: broken }: Verification): string {
  if (is_intact) {
    return `The audit log is intact: ${events} events, the last is ${head.seq} with the hash ${head.hash}.`;
  }
  const id = broken?.audit_event_id ? ` (${broken.audit_event_id})` : "";
  return `THE AUDIT LOG IS NOT INTACT. First at event ${broken?.seq}${id}: ${broken?.reason}.`;
}

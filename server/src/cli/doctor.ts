import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { checkLedger } from "@bursar/contract/admin/ledger-check.ts";
import type { Command } from "commander";
import picocolors from "picocolors";
import { type Config, findExposure, type LoadedConfig } from "#src/config.ts";
import { callRoute, exitCodes, makeLocalApi, type SendLocally } from "./local-api.ts";
import { print } from "./print.ts";

interface Finding {
  check: string;
  ok: boolean;
  detail: string;
}

const OLDEST_NODE = 24;
const LEAST_FREE_BYTES = 1024 ** 3;
/** Years of requests take minutes to add up, and the server says nothing meanwhile. */
const CHECK_TIMEOUT_MS = 3_600_000;
const MEBIBYTE = 1024 ** 2;

/** `doctor`: says what is right and wrong with this installation; exits with 1 when something is wrong. */
export function addDoctorCommand(
  program: Command,
  load: () => LoadedConfig,
  send: SendLocally,
): void {
  const doctor = program.command("doctor").description("check this installation");
  doctor
    .command("ledger")
    .description("recompute every balance; exits with 1 when one is not what it should be")
    .action(async () => {
      const callApi = makeLocalApi(load().config.dataDir, CHECK_TIMEOUT_MS);
      const report = await callRoute(callApi, checkLedger);
      print(program.opts(), report, () => describeLedger(report));
      if (!report.is_correct) process.exitCode = exitCodes.error;
    });
  doctor.action(async () => {
    const { config } = load();
    const findings = [
      checkNode(),
      ...checkDataFolder(config.dataDir),
      checkExposure(config),
      await checkServer(send),
    ];
    const isHealthy = findings.every((finding) => finding.ok);
    print(program.opts(), { healthy: isHealthy, findings }, () => findings.map(line).join("\n"));
    if (!isHealthy) process.exitCode = 1;
  });
}

type LedgerReport = Awaited<ReturnType<typeof callRoute<typeof checkLedger>>>;

function describeLedger(report: LedgerReport): string {
  const read = `${report.balances.toLocaleString("en")} balances, ${report.requests.toLocaleString("en")} requests`;
  if (report.is_correct) return `Every balance is what its requests add up to: ${read}.`;
  const lines = report.differences.map(
    ({ scope, period, period_start, amount, is_usd, should_be_usd, explanation }) =>
      `${scope.type} ${scope.id}, ${period} from ${period_start}: ${amount} is $${is_usd} and should be $${should_be_usd} (${explanation})`,
  );
  const more = report.difference_count - report.differences.length;
  if (more > 0) lines.push(`and ${more.toLocaleString("en")} more`);
  return `THE LEDGER IS NOT CORRECT (${read}).\n${lines.join("\n")}`;
}

function line({ check, ok, detail }: Finding): string {
  return `${ok ? picocolors.green("ok   ") : picocolors.red("wrong")}  ${check.padEnd(12)}  ${detail}`;
}

function checkNode(): Finding {
  const major = Number.parseInt(process.versions.node, 10);
  return { check: "node", ok: major >= OLDEST_NODE, detail: process.version };
}

function checkDataFolder(folder: string): Finding[] {
  if (!existsSync(folder)) {
    return [{ check: "data folder", ok: true, detail: `${folder} is made at the first start` }];
  }
  const findings: Finding[] = [];
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    findings.push({ check: "data folder", ok: true, detail: folder });
  } catch {
    findings.push({
      check: "data folder",
      ok: false,
      detail: `${folder} is not writable for this user`,
    });
  }
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  findings.push({
    check: "disk",
    ok: freeBytes >= LEAST_FREE_BYTES,
    detail: `${Math.round(freeBytes / MEBIBYTE).toLocaleString("en")} MiB free; a full disk stops new requests`,
  });
  const secret = join(folder, "secret");
  if (process.platform !== "win32" && existsSync(secret)) {
    const mode = statSync(secret).mode & 0o777;
    const ok = (mode & 0o077) === 0;
    const detail = ok
      ? `${secret} is readable by its owner only`
      : `others may read ${secret}: chmod 600 it`;
    findings.push({ check: "secret", ok, detail });
  }
  return findings;
}

function checkExposure(config: Config): Finding {
  const exposure = findExposure(config);
  return { check: "address", ok: exposure === null, detail: exposure ?? config.host };
}

async function checkServer(send: SendLocally): Promise<Finding> {
  try {
    const { status, text } = await send("GET", "/readyz");
    return { check: "server", ok: status === 200, detail: describeReadiness(text) };
  } catch (error) {
    return {
      check: "server",
      ok: false,
      detail: error instanceof Error ? error.message : String(error),
    };
  }
}

/** `ready (database ok, journal ok)`. */
function describeReadiness(text: string): string {
  const { status, checks } = JSON.parse(text) as { status: string; checks: Record<string, string> };
  const each = Object.entries(checks).map(([name, state]) => `${name}: ${state}`);
  return `${status} (${each.join(", ")})`;
}

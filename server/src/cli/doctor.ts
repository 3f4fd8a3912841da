import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { checkLedger } from "@bursar/contract/admin/ledger-check.ts";
import { getSystem } from "@bursar/contract/admin/system.ts";
import type { Command } from "commander";
import picocolors from "picocolors";
import type { z } from "zod";
import { type Config, findExposure, type LoadedConfig } from "#src/config.ts";
import { findWeakness } from "#src/db/secret-strength.rule.ts";
import { readFreeBytes } from "#src/lib/free-space.ts";
import { checkBounds } from "./check-bounds.ts";
import { checkConnections } from "./check-connections.ts";
import { checkFailover } from "./check-failover.ts";
import { checkJournal } from "./check-journal.ts";
import { checkReplication, checkReports } from "./check-replication.ts";
import { checkRetention } from "./check-retention.ts";
import { checkSignedRows } from "./check-signed-rows.ts";
import { exitCodes } from "./command-error.ts";
import { describeLedger } from "./describe-ledger.ts";
import type { Finding } from "./finding.ts";
import { callRoute, makeLocalApi } from "./local-api.ts";
import { print } from "./print.ts";

/** Calls the server on this machine and returns its response, whatever the status. Throws without a response. */
type SendLocally = (method: "GET", target: string) => Promise<{ status: number; text: string }>;

const OLDEST_NODE = 24;
const LEAST_FREE_BYTES = 1024 ** 3;
/** Adding up years of requests takes minutes without a response. */
const CHECK_TIMEOUT_MS = 3_600_000;
const MEBIBYTE = 1024 ** 2;

/** `doctor`: reports the state of this installation. Exits with 1 on a fault. */
export function addDoctorCommand(
  program: Command,
  load: () => LoadedConfig,
  send: SendLocally,
): void {
  const doctor = program
    .command("doctor")
    .description("check this installation")
    .addHelpText("after", "\nExamples:\n  bursar doctor\n  bursar doctor ledger");
  doctor
    .command("ledger")
    .description("recompute every balance; exits with 1 if one differs")
    .addHelpText("after", "\nExamples:\n  bursar doctor ledger")
    .action(async () => {
      const callApi = makeLocalApi(load().config.dataDir, CHECK_TIMEOUT_MS);
      const report = await callRoute(callApi, checkLedger);
      print(program.opts(), report, () => describeLedger(report));
      if (!report.is_correct) process.exitCode = exitCodes.error;
    });
  doctor.action(async () => {
    const { config } = load();
    const server = await checkServer(send);
    const findings = [
      checkNode(),
      ...checkDataFolder(config.dataDir),
      ...checkSecretStrength(config),
      checkExposure(config),
      server,
      checkJournal(config, await readMetrics(send)),
      ...(server.ok ? await checkSystem(config.dataDir) : []),
    ];
    const isHealthy = findings.every((finding) => finding.ok);
    print(program.opts(), { healthy: isHealthy, findings }, () =>
      findings.map(formatFinding).join("\n"),
    );
    if (!isHealthy) process.exitCode = 1;
  });
}

function formatFinding({ check, ok, is_note, detail }: Finding): string {
  const fine = is_note ? picocolors.yellow("note ") : picocolors.green("ok   ");
  return `${ok ? fine : picocolors.red("wrong")}  ${check.padEnd(12)}  ${detail}`;
}

function checkNode(): Finding {
  const major = Number.parseInt(process.versions.node, 10);
  return { check: "node", ok: major >= OLDEST_NODE, detail: process.version };
}

function checkDataFolder(folder: string): Finding[] {
  if (!existsSync(folder)) {
    return [{ check: "data folder", ok: true, detail: `${folder} is created at the first start` }];
  }
  const findings: Finding[] = [];
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    findings.push({ check: "data folder", ok: true, detail: folder });
  } catch {
    findings.push({
      check: "data folder",
      ok: false,
      detail: `${folder} is not writable by this user`,
    });
  }
  const freeBytes = readFreeBytes(folder);
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
      : `other users can read ${secret}: run chmod 600 on it`;
    findings.push({ check: "secret", ok, detail });
  }
  return findings;
}

/** Weak secrets of existing installations are accepted at a start. */
function checkSecretStrength({ secret, dataDir }: Config): Finding[] {
  const text = secret ?? readSecretFile(join(dataDir, "secret"));
  const weakness = text === null ? null : findWeakness(text);
  if (weakness === null) return [];
  const detail = `the secret ${weakness}: replace it with \`./bursar secret rotate\``;
  return [{ check: "secret", ok: false, detail }];
}

/** Returns the secret in the file. Null: it cannot be read, which the start reports. */
function readSecretFile(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return null;
  }
}

function checkExposure(config: Config): Finding {
  const exposure = findExposure(config);
  return { check: "address", ok: exposure === null, detail: exposure ?? config.host };
}

async function checkServer(send: SendLocally): Promise<Finding> {
  try {
    const { status, text } = await send("GET", "/readyz");
    const readiness = JSON.parse(text) as ReadinessAnswer;
    return {
      check: "server",
      ok: status === 200,
      is_note: readiness.status === "degraded",
      detail: describeReadiness(readiness),
    };
  } catch (error) {
    return {
      check: "server",
      ok: false,
      detail: error instanceof Error ? error.message : String(error),
    };
  }
}

/** Metrics of the server. Null: no server runs. */
async function readMetrics(send: SendLocally): Promise<string | null> {
  try {
    return (await send("GET", "/metrics")).text;
  } catch {
    return null;
  }
}

async function checkSystem(dataDir: string): Promise<Finding[]> {
  const callApi = makeLocalApi(dataDir);
  const system = await callRoute(callApi, getSystem);
  return [
    checkConnections(system.database),
    ...checkReplication(system.replication),
    ...checkReports(system.reports_database),
    checkFailover(system.newest_failover),
    checkBackup(system.backup),
    await checkRetention(callApi),
    await checkBounds(callApi),
    await checkSignedRows(makeLocalApi(dataDir, CHECK_TIMEOUT_MS)),
  ];
}

/** Never a fault, because the database may be copied in another way. */
function checkBackup(backup: System["backup"]): Finding {
  if (backup.newest === null) {
    const detail = "no backup yet; `./bursar backup <file>` creates one while the server runs";
    return { check: "backup", ok: true, is_note: true, detail };
  }
  const detail = `newest from ${backup.newest.made_at}`;
  return backup.is_late
    ? { check: "backup", ok: true, is_note: true, detail: `${detail}, more than a week ago` }
    : { check: "backup", ok: true, detail };
}

type System = z.output<typeof getSystem.response>;

/** Response body of `/readyz`. */
interface ReadinessAnswer {
  status: string;
  checks: Record<string, string>;
}

/** `ready (database: ok, journal: ok)`. */
function describeReadiness({ status, checks }: ReadinessAnswer): string {
  const each = Object.entries(checks).map(([name, state]) => `${name}: ${state}`);
  return `${status} (${each.join(", ")})`;
}

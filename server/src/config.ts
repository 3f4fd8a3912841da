import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse as parseToml } from "smol-toml";
import { z } from "zod";
import {
  duration,
  lastingDuration,
  retention,
  size,
  writeDuration,
  writeRetention,
  writeSize,
} from "#src/config-amounts.ts";
import { logFormats, logLevels } from "#src/lib/logger.ts";
import { StartError } from "#src/lib/start-error.ts";
import {
  bearerToken,
  connections,
  databaseUrl,
  headerText,
  httpUrl,
  list,
  MOST_PROCESSES,
  mailFrom,
  passphrase,
  port,
  processes,
  targets,
  telemetryHeaders,
  text,
  upstreamSettings,
} from "./setting-values.ts";

// Priority: environment, bursar.toml, defaults. Unknown names are an error, so that a typo in a setting that protects
// money is never ignored.

export interface Setting {
  env: string;
  schema: z.ZodType;
  fallback?: string;
  /** Never printed. A file in `<name>_FILE` can provide the value. */
  isSecret?: true;
  about: string;
}

export const settings = {
  port: {
    env: "BURSAR_PORT",
    schema: port,
    fallback: "8484",
    about: "Port of the HTTP listener. 0 selects a free port.",
  },
  host: {
    env: "BURSAR_HOST",
    schema: text,
    fallback: "127.0.0.1",
    about: "Address to listen on.",
  },
  processes: {
    env: "BURSAR_PROCESSES",
    schema: processes,
    fallback: "1",
    about: `Gateway processes that share the port, 1 to ${MOST_PROCESSES}: about one per core. \`npm start -- --processes N\` has priority.`,
  },
  http: {
    env: "BURSAR_HTTP",
    schema: z.enum(["sockets", "node"]),
    fallback: "sockets",
    about:
      "Implementation of HTTP/1.1 for the Claude API and the upstream. sockets: Bursar's own for usual messages, which takes less processor time. node: node:http and undici for all messages.",
  },
  dataDir: {
    env: "BURSAR_DATA_DIR",
    schema: text,
    fallback: "./data",
    about: "Folder of the embedded database, the journal, the secret and the admin socket.",
  },
  publicUrl: {
    env: "BURSAR_PUBLIC_URL",
    schema: httpUrl.optional(),
    about: "Address that members and programs use, if it differs from the listening address.",
  },
  requestConnections: {
    env: "BURSAR_REQUEST_CONNECTIONS",
    schema: connections,
    fallback: "8",
    about:
      "Most database connections of each process for Claude requests. See [database connections](nodes.md#database-connections).",
  },
  adminConnections: {
    env: "BURSAR_ADMIN_CONNECTIONS",
    schema: connections,
    fallback: "8",
    about: "Most database connections of each process for the Admin API and the console.",
  },
  jobConnections: {
    env: "BURSAR_JOB_CONNECTIONS",
    schema: connections,
    fallback: "6",
    about: "Most database connections of each process for background jobs.",
  },
  postgresMemoryBytes: {
    env: "BURSAR_POSTGRES_MEMORY",
    schema: size.refine((bytes) => bytes >= 64e6, "expected at least 64MB").optional(),
    about:
      "Memory of the embedded PostgreSQL. Unset: a quarter of the memory of the machine or container, at most 8GiB.",
  },
  secret: {
    env: "BURSAR_SECRET",
    schema: text.optional(),
    isSecret: true,
    about:
      "Encrypts stored credentials and signs the audit log. At least 32 characters that cannot be guessed. Without DATABASE_URL the first start creates one in the data folder.",
  },
  newSecret: {
    env: "BURSAR_NEW_SECRET",
    schema: text.optional(),
    isSecret: true,
    about:
      "New secret for `./bursar secret rotate`, which alone reads it. See [the secret](secret.md).",
  },
  nodeId: {
    env: "BURSAR_NODE_ID",
    schema: text.max(100).optional(),
    about:
      "Name of this node. Unset: created once in the data folder, or at each start with BURSAR_JOURNAL=postgres.",
  },
  logLevel: {
    env: "BURSAR_LOG_LEVEL",
    schema: z.enum(logLevels),
    fallback: "info",
    about: `One of ${logLevels.join(", ")}.`,
  },
  logFormat: {
    env: "BURSAR_LOG_FORMAT",
    schema: z.enum(logFormats),
    fallback: "auto",
    about:
      "Format of the log on standard output. auto: readable lines on a terminal, else JSON, one line per event. pretty or json: always that format. `NO_COLOR` disables colours.",
  },
  leaseTtlMs: {
    env: "BURSAR_LEASE_TTL",
    schema: lastingDuration,
    fallback: "120s",
    about:
      "Lifetime of cached keys and leases while the database is away. A node that is silent for longer is fenced.",
  },
  holdWaitMs: {
    env: "BURSAR_HOLD_WAIT",
    schema: duration.refine((ms) => ms >= 100, "expected at least 100ms"),
    fallback: "5s",
    about:
      "Longest wait of a request for budget that running requests hold. Then it gets a 429, or a 529 if the limit has room.",
  },
  unresolvedReleaseMs: {
    env: "BURSAR_UNRESOLVED_RELEASE",
    schema: lastingDuration,
    fallback: "1h",
    about:
      "Time after which the hold of a request with an unknown outcome counts as not spent. The budget of a silent node is not released. See [unresolved spend](spend-limits.md#unresolved-spend).",
  },
  journal: {
    env: "BURSAR_JOURNAL",
    schema: z.enum(["disk", "postgres"]),
    fallback: "disk",
    about:
      "disk: records are written to the data folder before a request is sent. postgres: to the database, for nodes whose disk does not survive a restart. Each request then waits for a commit, and gets a 503 while the database is away.",
  },
  journalSync: {
    env: "BURSAR_JOURNAL_SYNC",
    schema: z.enum(["interval", "group"]),
    fallback: "interval",
    about:
      "Sync of a journal on disk. interval: every 50 ms. group: each request waits for the sync before it is sent.",
  },
  journalMaxBytes: {
    env: "BURSAR_JOURNAL_MAX_SIZE",
    schema: size,
    fallback: "20GB",
    about:
      "Cap of the journals of a data folder, divided equally among its processes, at least 10MB each. At the cap the oldest flushed segments are deleted first. Then new requests get 503. See [journal size](nodes.md#journal-size).",
  },
  hourRetentionDays: {
    env: "BURSAR_HOUR_RETENTION",
    schema: retention(62),
    fallback: "400d",
    about:
      "Retention of usage by hour, such as 400d, at least 62d, or forever. See [retention](retention.md).",
  },
  dayRetentionDays: {
    env: "BURSAR_DAY_RETENTION",
    schema: retention(400),
    fallback: "1830d",
    about:
      "Retention of usage by day and week, at least 400d, or forever. Usage by month is always kept.",
  },
  balanceRetentionDays: {
    env: "BURSAR_BALANCE_RETENTION",
    schema: retention(62),
    fallback: "400d",
    about: "Retention of the spend of past limit periods, at least 62d, or forever.",
  },
  drainMs: {
    env: "BURSAR_DRAIN",
    schema: duration,
    fallback: "30s",
    about: "Longest time that running requests may take after SIGTERM.",
  },
  warmUpMs: {
    env: "BURSAR_WARM_UP",
    schema: duration,
    fallback: "600ms",
    about:
      "Longest warm-up at a start, in which test requests compile the program. 0s: no warm-up.",
  },
  upstreamIdleMs: {
    env: "BURSAR_UPSTREAM_IDLE",
    schema: lastingDuration,
    fallback: "300s",
    about: "Longest silence of the upstream before a request fails.",
  },
  upstreamAnswerMs: {
    env: "BURSAR_UPSTREAM_ANSWER",
    schema: lastingDuration,
    fallback: "900s",
    about:
      "Longest wait for a response that is not a stream. The upstream sends no byte of it before the model is done.",
  },
  trustedProxies: {
    env: "BURSAR_TRUSTED_PROXIES",
    schema: list,
    fallback: "",
    about:
      "Addresses or CIDR ranges of trusted proxies, comma separated. Their X-Forwarded-For has the client's address, and X-Forwarded-Proto its protocol.",
  },
  allowPrivateTargets: {
    env: "BURSAR_ALLOW_PRIVATE_TARGETS",
    schema: targets,
    fallback: "",
    about:
      "Private addresses, CIDR ranges or host names, comma separated, that alert channels and directories may reach, also over http. The addresses of cloud credential services stay blocked.",
  },
  allowPrivateUpstreams: {
    env: "BURSAR_ALLOW_PRIVATE_UPSTREAMS",
    schema: targets,
    fallback: "",
    about:
      "Private addresses, CIDR ranges or host names, comma separated, that a stored upstream may have. Its responses are relayed to clients. `ANTHROPIC_UPSTREAM_URL` is not restricted.",
  },
  ...upstreamSettings,
  tlsCertFile: {
    env: "BURSAR_TLS_CERT_FILE",
    schema: text.optional(),
    about: "PEM certificate chain. With BURSAR_TLS_KEY_FILE the listener uses HTTPS.",
  },
  tlsKeyFile: {
    env: "BURSAR_TLS_KEY_FILE",
    schema: text.optional(),
    about: "PEM private key of the certificate.",
  },
  databaseUrl: {
    env: "DATABASE_URL",
    schema: databaseUrl.optional(),
    isSecret: true,
    about:
      "PostgreSQL 15 or newer, over a direct connection. Unset: an embedded PostgreSQL in the data folder.",
  },
  reportsDatabaseUrl: {
    env: "BURSAR_REPORTS_DATABASE_URL",
    schema: databaseUrl.optional(),
    isSecret: true,
    about:
      "A standby of the PostgreSQL in DATABASE_URL, for reports and the request log. Unset: they read the primary. See [reports from a replica](reports.md#reports-from-a-replica).",
  },
  anthropicApiKey: {
    env: "ANTHROPIC_API_KEY",
    schema: headerText.optional(),
    isSecret: true,
    about:
      "Credential of the real Claude API. Without it, and without a stored one, the simulator responds.",
  },
  anthropicUpstreamUrl: {
    env: "ANTHROPIC_UPSTREAM_URL",
    schema: httpUrl.optional(),
    about: "Origin of the Claude API, if it is not https://api.anthropic.com.",
  },
  smtpUrl: {
    env: "SMTP_URL",
    schema: z.url({ protocol: /^smtps?$/, error: "expected smtp://… or smtps://…" }).optional(),
    isSecret: true,
    about:
      "Mail server, such as smtp://user:password@mail.example.com:587. TLS is required, except on this machine or with `?requireTLS=false`. Unset: messages are stored, and the operator can read their links.",
  },
  telemetryUrl: {
    env: "BURSAR_TELEMETRY_URL",
    schema: httpUrl.optional(),
    about:
      "OTLP receiver of the telemetry of the first organization's laptops, without `/v1/…`, such as https://otel.example.com:4318. A private address also needs BURSAR_ALLOW_PRIVATE_TARGETS. The API sets others. See [telemetry](telemetry.md).",
  },
  telemetryHeaders: {
    env: "BURSAR_TELEMETRY_HEADERS",
    schema: telemetryHeaders.optional(),
    isSecret: true,
    about: "Headers for the receiver, such as `authorization=Bearer abc,x-tenant=one`.",
  },
  metricsToken: {
    env: "BURSAR_METRICS_TOKEN",
    schema: bearerToken.optional(),
    isSecret: true,
    about:
      "Token that `/metrics` requires, as `authorization: Bearer …`, at least 24 characters. Unset: only programs of the same machine read metrics. See [metrics](nodes.md#metrics).",
  },
  apiReference: {
    env: "BURSAR_API_REFERENCE",
    schema: z.enum(["on", "off"]),
    fallback: "on",
    about:
      "on: `/docs` and `/openapi.json` are public, without data. off: neither is served. `/guides` stays public.",
  },
  backupPassphrase: {
    env: "BURSAR_BACKUP_PASSPHRASE",
    schema: passphrase.optional(),
    isSecret: true,
    about:
      "Passphrase of `./bursar backup` and `restore`, at least 12 characters. Encrypts the file, which then contains the secret. The server does not need it.",
  },
  mailFrom: {
    env: "BURSAR_MAIL_FROM",
    schema: mailFrom.optional(),
    about: "Sender of messages, such as Bursar <bursar@example.com>. Required with SMTP_URL.",
  },
} as const satisfies Record<string, Setting>;

type SettingName = keyof typeof settings;
export type Config = { [K in SettingName]: z.output<(typeof settings)[K]["schema"]> };

export interface LoadedConfig {
  config: Config;
  /** Source of each value: a variable's name, `bursar.toml`, or "default". */
  sources: Record<SettingName, string>;
}

/** Invalid configuration. The message lists every mistake and is printed unchanged. */
export class ConfigError extends StartError {}

/**
 * Reads the configuration once. `directory` contains `bursar.toml` and is the base of a relative data folder. Throws
 * ConfigError.
 */
export function loadConfig(env: NodeJS.ProcessEnv, directory: string): LoadedConfig {
  const file = readToml(resolve(directory, "bursar.toml"));
  const mistakes = [...unknownVariables(env), ...unknownKeys(file)];
  const values: Record<string, unknown> = {};
  const sources: Record<string, string> = {};
  for (const [name, setting] of Object.entries<Setting>(settings)) {
    const found = findValue(setting, env, file, mistakes);
    sources[name] = found.source;
    const parsed = setting.schema.safeParse(found.value);
    if (parsed.success) values[name] = parsed.data;
    else
      mistakes.push(
        `${found.source === "bursar.toml" ? `bursar.toml: ${tomlKey(setting)}` : setting.env}: ${parsed.error.issues[0]?.message}`,
      );
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes.join("\n"));
  const config = values as Config;
  checkTogether(config);
  return {
    config: { ...config, dataDir: resolve(directory, config.dataDir) },
    sources: sources as Record<SettingName, string>,
  };
}

/** Lists the settings with value and source. Secrets are hidden, and null means no value. */
export function describeConfig({
  config,
  sources,
}: LoadedConfig): { name: string; value: string | null; source: string }[] {
  return Object.entries<Setting>(settings).map(([key, setting]) => {
    const name = key as SettingName;
    const written = writeValue(name, config[name]);
    const value = written !== null && setting.isSecret ? "(hidden)" : written;
    return { name: setting.env, value, source: sources[name] };
  });
}

function writeValue(name: SettingName, value: Config[SettingName]): string | null {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return null;
  if (typeof value === "number" && name.endsWith("Ms")) return writeDuration(value);
  if (typeof value === "number" && name.endsWith("Bytes")) return writeSize(value);
  if (typeof value === "number" && name.endsWith("Days")) return writeRetention(value);
  return String(value);
}

/** Returns a warning for a listener that is open to the network without TLS, in two sentences. Null: no fault. */
export function findExposure(config: Config): string | null {
  const { host, tlsCertFile, trustedProxies } = config;
  if (isOnlyLocal(config) || tlsCertFile !== undefined || trustedProxies.length > 0) return null;
  return (
    `${host} is open to the network without TLS, so keys and prompts are sent unencrypted. ` +
    "Set BURSAR_TLS_CERT_FILE and BURSAR_TLS_KEY_FILE, or name your proxy in BURSAR_TRUSTED_PROXIES."
  );
}

/** True if other machines cannot reach the server. */
export function isOnlyLocal({ host }: Config): boolean {
  return ["127.0.0.1", "::1", "localhost"].includes(host);
}

/** Space for a few thousand requests that wait for the database. */
const LEAST_JOURNAL_BYTES = 10e6;

function checkTogether(config: Config): void {
  if ((config.tlsCertFile === undefined) !== (config.tlsKeyFile === undefined)) {
    throw new ConfigError("BURSAR_TLS_CERT_FILE and BURSAR_TLS_KEY_FILE must be set together.");
  }
  if (config.journalMaxBytes / config.processes < LEAST_JOURNAL_BYTES) {
    throw new ConfigError("BURSAR_JOURNAL_MAX_SIZE must be at least 10MB for each process.");
  }
  if (config.smtpUrl !== undefined && config.mailFrom === undefined) {
    throw new ConfigError(
      "BURSAR_MAIL_FROM is required with SMTP_URL: mail servers refuse messages without a sender.",
    );
  }
  if (config.reportsDatabaseUrl !== undefined && config.databaseUrl === undefined) {
    throw new ConfigError(
      "BURSAR_REPORTS_DATABASE_URL requires DATABASE_URL: the embedded PostgreSQL has no standby.",
    );
  }
}

function findValue(
  setting: Setting,
  env: NodeJS.ProcessEnv,
  file: Record<string, unknown>,
  mistakes: string[],
): { value: unknown; source: string } {
  const fileVariable = `${setting.env}_FILE`;
  const path = setting.isSecret ? env[fileVariable] : undefined;
  const direct = env[setting.env];
  if (direct !== undefined && path !== undefined) {
    mistakes.push(`${setting.env} and ${fileVariable} are both set; keep one.`);
  }
  if (direct !== undefined && direct !== "") return { value: direct, source: setting.env };
  if (path !== undefined) {
    try {
      return { value: readFileSync(path, "utf8").trim(), source: fileVariable };
    } catch {
      mistakes.push(`${fileVariable}: cannot read ${path}`);
      return { value: setting.fallback, source: fileVariable };
    }
  }
  const written = file[tomlKey(setting)];
  if (written !== undefined) return { value: String(written), source: "bursar.toml" };
  return { value: setting.fallback, source: "default" };
}

/** Name in the file: `data_dir` for `BURSAR_DATA_DIR`, and unchanged for others: `database_url`. */
function tomlKey(setting: Setting): string {
  return setting.env.replace(/^BURSAR_/, "").toLowerCase();
}

/** Variables of the command line, which a server ignores. */
const commandLineVariables = [
  "BURSAR_PROFILE",
  "BURSAR_URL",
  "BURSAR_ADMIN_KEY",
  "BURSAR_ADMIN_KEY_FILE",
];

function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const names = Object.values<Setting>(settings).flatMap(({ env: name, isSecret }) =>
    isSecret ? [name, `${name}_FILE`] : [name],
  );
  const known = new Set([...names, ...commandLineVariables]);
  return Object.keys(env)
    .filter((name) => name.startsWith("BURSAR_") && !known.has(name))
    .map((name) => `${name}: unknown setting`);
}

function unknownKeys(file: Record<string, unknown>): string[] {
  const known = new Set(Object.values<Setting>(settings).map(tomlKey));
  return Object.keys(file)
    .filter((key) => !known.has(key))
    .map((key) => `bursar.toml: ${key}: unknown setting`);
}

function readToml(path: string): Record<string, unknown> {
  if (!existsSync(path)) return {};
  try {
    return parseToml(readFileSync(path, "utf8"));
  } catch (error) {
    throw new ConfigError(`bursar.toml: ${error instanceof Error ? error.message : String(error)}`);
  }
}

import picocolors from "picocolors";
import { describeConfig, type LoadedConfig } from "#src/config.ts";
import type { NextSteps } from "./next-steps.ts";
import type { RunningServer } from "./wiring.ts";

type ShownServer = Omit<RunningServer, "failed" | "metrics" | "stop">;

/** Text for the person who started the server: address, upstream, and next commands. */
export function banner(loaded: LoadedConfig, server: ShownServer, isColoured: boolean): string {
  const { bold, cyan, dim, yellow } = picocolors.createColors(isColoured);
  const url = loaded.config.publicUrl?.replace(/\/$/, "") ?? server.url;
  const lines = [
    "",
    `${bold("Bursar")} is ready at ${cyan(url)}`,
    `  reference   ${cyan(`${url}/docs`)}`,
    `  upstream    ${upstreamLine(server)}`,
    `  database    ${server.isDatabaseEmbedded ? `embedded PostgreSQL in ${loaded.config.dataDir}` : "DATABASE_URL"}`,
    ...server.warnings.map((warning) => yellow(`  warning     ${warning}`)),
    "",
    ...setUpLines(server.nextSteps.setUpUrl, cyan, bold),
    ...nextStepLines(loaded, { url, ...server.nextSteps }, dim),
  ];
  return `${lines.join("\n")}\n`;
}

function setUpLines(
  url: string | null,
  cyan: (text: string) => string,
  bold: (text: string) => string,
): string[] {
  if (url === null) return [];
  return [
    bold("This installation has no owner yet. Open this link within an hour to become its owner:"),
    `  ${cyan(url)}`,
    "  Run `./bursar setup-link` for a new link.",
    "",
  ];
}

function upstreamLine(server: ShownServer): string {
  const upstream = server.upstream();
  if (upstream === null) return "configured but not usable, see the log";
  switch (upstream.source) {
    case "environment":
      return `${upstream.origin}, from ${server.upstreamVariables}: requests cost real money`;
    case "stored":
      return `${upstream.origin}, from the Admin API: requests cost real money`;
    case "simulator":
      return "the built-in simulator: no request leaves this server or costs money";
  }
}

/**
 * Remaining commands up to the first request to Claude. Empty after it. Values other than the defaults are included, so
 * that the commands work in another shell.
 */
function nextStepLines(
  loaded: LoadedConfig,
  { url, hasAdminKey, hasApiKey, hasRequest }: NextSteps & { url: string },
  dim: (text: string) => string,
): string[] {
  if (hasRequest) return [];
  const moved = describeConfig(loaded).find(({ name }) => name === "BURSAR_DATA_DIR");
  const prefix =
    moved === undefined || moved.source === "default" || moved.source === "bursar.toml"
      ? ""
      : `BURSAR_DATA_DIR=${quote(loaded.config.dataDir)} `;
  const body =
    '{"model":"claude-sonnet-5","max_tokens":200,"messages":[{"role":"user","content":"Hello"}]}';
  const keys = hasApiKey
    ? []
    : [
        ...(hasAdminKey
          ? []
          : [`  export ADMIN_KEY="$(${prefix}./bursar admin-keys create --name first)"`]),
        `  ${prefix}./bursar workspaces create Demo; export API_KEY="$(${prefix}./bursar api-keys create --workspace Demo --name demo)"`,
      ];
  const words = [
    ...(hasApiKey || hasAdminKey ? [] : ["an admin key"]),
    ...(hasApiKey ? [] : ["a workspace with a key"]),
    hasApiKey
      ? "a first request to Claude, with an API key in API_KEY"
      : "a first request to Claude",
  ];
  return [
    dim(`Next: ${listWords(words)}.`),
    "",
    ...keys,
    `  curl ${url}/v1/messages -H "x-api-key: $API_KEY" -H 'content-type: application/json' -d '${body}'`,
    "",
  ];
}

/** "a, b, and c". Not Intl.ListFormat, which takes 13 ms of processor time to load. */
function listWords(words: readonly string[]): string {
  if (words.length < 3) return words.join(" and ");
  return `${words.slice(0, -1).join(", ")}, and ${words.at(-1)}`;
}

function quote(path: string): string {
  return /^[A-Za-z0-9_./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

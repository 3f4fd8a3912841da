import { readFileSync } from "node:fs";
import type { ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import { describe, expect, test } from "vitest";
import { ApiError } from "#src/domain/api-error.ts";
import { priceUsage } from "#src/domain/cost.ts";
import { toBedrockName, toVertexName } from "#src/domain/platform-models.ts";
import { findPlatformBook } from "#src/domain/platform-prices.ts";
import { makePriceBook } from "#src/domain/price-book.ts";
import { msFromIsoDate } from "#src/domain/spend-period.ts";
import { readMessageUsage } from "#src/domain/usage-fields.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import { makeDialect } from "./make-provider-client.ts";
import { toPlatformTerms } from "./price-terms.ts";

// Each golden usage of the Claude API on each platform: its cost, or the refusal of the feature that causes the usage.

interface GoldenUsage {
  server_tool_use?: { web_search_requests?: number; web_fetch_requests?: number } | null;
  service_tier?: string;
  inference_geo?: string;
  speed?: string;
  iterations?: { type: string }[] | null;
}
interface GoldenRow {
  name: string;
  at: string;
  model: string;
  usage: GoldenUsage;
  expected: Record<string, string | boolean>;
}

const golden: GoldenRow[] = JSON.parse(
  readFileSync(new URL("../../domain/cost.golden.json", import.meta.url), "utf8"),
);
const listBook = makePriceBook([]);

interface Platform {
  settings: ProviderSettings;
  credential: string;
  /** True: tokens of newer models cost 10 % more. */
  isRegional: boolean;
  /** Features that the platform lacks, by their names in refusals. */
  lacks: readonly string[];
  /** Name of the model in an answer of the platform. */
  toAnswerName: (model: string) => string;
}

const same = (model: string) => model;
const awsKey = JSON.stringify({ access_key_id: "AKIDEXAMPLE1234567890", secret_access_key: "x" });
const account = JSON.stringify({
  type: "service_account",
  client_email: "a@b.iam.gserviceaccount.com",
  private_key: "-----BEGIN PRIVATE KEY-----",
});
const everywhereLacked = [
  "POST /v1/messages/batches",
  "speed",
  "inference_geo",
  "fallbacks",
  "tools (advisor_20260301)",
];
const withoutFetch = [...everywhereLacked, "tools (web_fetch_20250910)"];
const withoutSearch = [...withoutFetch, "tools (web_search_20250305)"];

function bedrock(profile: "global" | "eu" | "none", isRegional: boolean): Platform {
  return {
    settings: {
      provider: "bedrock",
      region: "eu-central-1",
      inference_profile: profile,
      authentication: "access_key",
    },
    credential: awsKey,
    isRegional,
    lacks: withoutSearch,
    toAnswerName: toBedrockName,
  };
}

function vertex(region: string, isRegional: boolean): Platform {
  return {
    settings: { provider: "vertex", region, project_id: "test", authentication: "service_account" },
    credential: account,
    isRegional,
    lacks: withoutFetch,
    toAnswerName: toVertexName,
  };
}

function foundry(isDataZone: boolean): Platform {
  return {
    settings: {
      provider: "foundry",
      resource: "test",
      authentication: "api_key",
      is_us_data_zone: isDataZone,
    },
    credential: "key-1",
    isRegional: isDataZone,
    lacks: everywhereLacked,
    toAnswerName: same,
  };
}

const platforms: [string, Platform][] = [
  ["Bedrock's global profile", bedrock("global", false)],
  ["Bedrock's profile of a geography", bedrock("eu", true)],
  ["a region of Bedrock", bedrock("none", true)],
  ["the global endpoint of Vertex AI", vertex("global", false)],
  ["a geography of Vertex AI", vertex("eu", true)],
  ["a region of Vertex AI", vertex("europe-west1", true)],
  ["a global deployment of Foundry", foundry(false)],
  ["a data zone of Foundry", foundry(true)],
];

/** Models before Claude 4.5, which have one price for all regions. */
const OLDER = /^claude-(3-|haiku-3-|(opus|sonnet)-4(-1)?(-0)?(-2025\d{4})?$)/;

/** Request that has the usage: its path, and the field or tool without which the usage cannot be. */
function toRequest({ usage }: GoldenRow): { path: string; fields: object } {
  const tools: object[] = [];
  const fields: Record<string, unknown> = {};
  if (usage.server_tool_use?.web_search_requests) {
    tools.push({ type: "web_search_20250305", name: "web_search" });
  }
  if (usage.server_tool_use?.web_fetch_requests) {
    tools.push({ type: "web_fetch_20250910", name: "web_fetch" });
  }
  const iterations = new Set(usage.iterations?.map(({ type }) => type));
  if (iterations.has("advisor_message")) {
    tools.push({ type: "advisor_20260301", name: "advisor", model: "claude-opus-5" });
  }
  if (iterations.has("fallback_message")) fields["fallbacks"] = [{ model: "claude-opus-5" }];
  if (usage.speed === "fast") fields["speed"] = "fast";
  if (usage.inference_geo === "us") fields["inference_geo"] = "us";
  if (tools.length > 0) fields["tools"] = tools;
  const isBatch = usage.service_tier === "batch";
  return { path: isBatch ? "/v1/messages/batches" : "/v1/messages", fields };
}

/** Returns the refused feature. Null: the platform serves the request. */
function findRefusal({ settings, credential }: Platform, row: GoldenRow): string | null {
  const dialect = makeDialect({
    settings,
    credential,
    baseUrl: "https://platform.example.com",
    extraHeaders: [],
    nowMs: () => 0,
    proxy: null,
  });
  const { path, fields } = toRequest(row);
  const body = { model: row.model, max_tokens: 1, messages: [], ...fields };
  try {
    const call = dialect.translate({
      method: "POST",
      path,
      headers: FieldLines.fromList([]),
      body: Buffer.from(JSON.stringify(body)),
      headersTimeoutMs: 1_000,
    });
    expect(call.kind).toBe("call");
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ details: { error_code: "provider_unsupported" } });
    return String((error as ApiError).details?.["feature"]);
  }
}

describe.each(platforms)("%s", (_, platform) => {
  const book = findPlatformBook(listBook, toPlatformTerms(platform.settings));

  function costOf(row: GoldenRow, model: string) {
    const usage = readMessageUsage({ type: "message", model, usage: row.usage }, model);
    if (usage === null) throw new Error("no usage");
    return priceUsage({ book, usage, atMs: msFromIsoDate(row.at) }).cost;
  }

  const refusals = new Map(golden.map((row) => [row, findRefusal(platform, row)]));
  const served = golden.filter((row) => refusals.get(row) === null);

  test.each(served)("costs what its price row says: $name", (row) => {
    const cost = costOf(row, row.model);
    const isRaised = platform.isRegional && !OLDER.test(row.model);
    const search = BigInt(row.expected["web_search"] as string);
    const tokens = BigInt(row.expected["total"] as string) - search;
    expect(cost.webSearch).toBe(search);
    if (!isRaised) expect(cost.total - search).toBe(tokens);
    else if (tokens % 10n === 0n) expect(cost.total - search).toBe((tokens * 11n) / 10n);
    else {
      // The expected cost is rounded to a nano-dollar before the surcharge, and the cost after it.
      const difference = (cost.total - search) * 10n - tokens * 11n;
      expect(difference <= 10n && difference >= -10n).toBe(true);
    }
  });

  test("has the same cost if the answer has the platform's name of the model", () => {
    for (const row of served) {
      expect(costOf(row, platform.toAnswerName(row.model)), row.name).toEqual(
        costOf(row, row.model),
      );
    }
  });

  test("refuses each lacked feature by its name, and no other", () => {
    const refused = new Set([...refusals.values()].filter((feature) => feature !== null));
    expect([...refused].sort()).toEqual([...platform.lacks].sort());
  });
});

test("Bedrock serves most rows of the table", () => {
  const served = golden.filter((row) => findRefusal(bedrock("eu", true), row) === null);
  expect([served.length, golden.length]).toEqual([82, 109]);
});

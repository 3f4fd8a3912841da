import type { BedrockSettings } from "@bursar/contract/admin/provider-settings.ts";
import { editBody, type ScannedBody, scanBody } from "#src/domain/edit-body.ts";
import { toBedrockName, toOfficialName } from "#src/domain/platform-models.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import type { HttpRequest } from "#src/lib/http-client.ts";
import { type AnswerTranslator, type Dialect, JSON_TYPE, type ProviderCall } from "../dialect.ts";
import { answerModels, findNamed } from "../model-names.ts";
import { type OfficialRequest, readOfficialRequest } from "../official-request.ts";
import { checkFeatures, choosePassedBetas } from "../platform-features.ts";
import type { Signer } from "./aws-credentials.ts";
import { EventStreamTranslator } from "./decode-event-stream.ts";

const platform = { provider: "bedrock", name: "Amazon Bedrock" } as const;

/** The one version of the API that InvokeModel has. */
const API_VERSION = "bedrock-2023-05-31";
const FRAMES_TYPE = "application/vnd.amazon.eventstream";
/** Fields that the path or the added fields replace. */
const replacedFields = ["model", "stream", "anthropic_version", "anthropic_beta"];

export interface BedrockDialectOptions {
  settings: BedrockSettings;
  /** Value of the Host header, which is signed. */
  host: string;
  /** Path of the base URL without a trailing slash. */
  basePath: string;
  sign: Signer;
  /** Headers of the upstream's settings, a flat list. */
  extraHeaders: readonly string[];
}

/** Bedrock's runtime with InvokeModel: model in the path, version and betas in the body, streams in frames of AWS. */
export function makeBedrockDialect(options: BedrockDialectOptions): Dialect {
  return {
    ...platform,
    translate(request) {
      const official = readOfficialRequest(request, platform);
      if (official.operation === "models") return answerModels(options.settings, official);
      const scanned = scanBody(request.body ?? Buffer.from("{}"), true);
      return toCall(options, { request, official, scanned });
    },
  };
}

interface ReadRequest {
  request: HttpRequest;
  official: OfficialRequest;
  scanned: ScannedBody;
}

function toCall(
  options: BedrockDialectOptions,
  { request, official, scanned }: ReadRequest,
): ProviderCall {
  const { settings, host, basePath, sign, extraHeaders } = options;
  const removed = checkFeatures(platform, scanned);
  for (const field of replacedFields) removed.add(field);
  const betas = choosePassedBetas("bedrock", official.betas, settings.betas ?? []);
  const isCount = official.operation === "count";
  const added = {
    anthropic_version: API_VERSION,
    ...(betas.length > 0 && { anthropic_beta: betas }),
    // InvokeModel requires the field. The count does not depend on it.
    ...(isCount && !scanned.members.some(({ key }) => key === "max_tokens") && { max_tokens: 1 }),
  };
  const invoked = editBody(scanned, { removed, added, model: null });
  const body = isCount ? wrapCount(invoked) : invoked;
  const action = isCount
    ? "count-tokens"
    : scanned.isStream
      ? "invoke-with-response-stream"
      : "invoke";
  const path = `${basePath}/model/${encodeURIComponent(getModelId(settings, scanned.model))}/${action}`;
  const headers = [...withType(official.headers, scanned.isStream && !isCount), ...extraHeaders];
  let codec: ConstructorParameters<typeof EventStreamTranslator>[0] | null = null;
  return {
    kind: "call",
    path,
    headers,
    body,
    async authorize() {
      if (action === "invoke-with-response-stream") codec = await loadCodec();
      return sign({ method: request.method, host, path, headers, body });
    },
    translateAnswer(fields): AnswerTranslator | null {
      if (isCount) return new CountTranslator();
      const isFramed = fields.find("content-type")?.startsWith(FRAMES_TYPE) === true;
      return isFramed && codec !== null ? new EventStreamTranslator(codec) : null;
    },
  };
}

async function loadCodec() {
  const { EventStreamCodec } = await import("@smithy/eventstream-codec");
  return new EventStreamCodec(
    (bytes) => (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8")),
    (text) => Buffer.from(text, "utf8"),
  );
}

/** The body of a count has the body of the message in base64. */
function wrapCount(invoked: Buffer): Buffer {
  return Buffer.from(
    JSON.stringify({ input: { invokeModel: { body: invoked.toString("base64") } } }),
  );
}

/** Bedrock returns the type of the answer that the client accepts. */
function withType(headers: readonly string[], isStream: boolean): string[] {
  const list: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name !== "accept" && name !== "content-type") list.push(name, headers[i + 1] as string);
  }
  list.push("content-type", JSON_TYPE, "accept", isStream ? FRAMES_TYPE : JSON_TYPE);
  return list;
}

/**
 * Geographies of regions, by their start. The first match counts. The other regions have the global profile alone, for all
 * models since Claude Opus 4.7: https://platform.claude.com/docs/en/build-with-claude/claude-in-amazon-bedrock#regions
 */
const geographies: readonly [start: string, profile: string][] = [
  ["us-gov-", "us-gov"],
  ["us-", "us"],
  ["ca-central-1", "us"],
  ["eu-", "eu"],
  ["ap-northeast-1", "jp"],
  ["ap-northeast-3", "jp"],
  ["ap-southeast-2", "au"],
  ["ap-southeast-4", "au"],
];

/** Prefix of model names: the settings', or the geography of the region. */
export function findProfile({ inference_profile, region }: BedrockSettings): string {
  if (inference_profile !== undefined) return inference_profile;
  return geographies.find(([start]) => region.startsWith(start))?.[1] ?? "global";
}

/**
 * Returns the id of a model or profile. The settings choose the profile, and never the client, because the profile decides
 * about regions and prices. An ARN that names no model stays.
 */
export function toModelId(settings: BedrockSettings, model: string): string {
  const official = toOfficialName(model);
  const named = findNamed(settings, model) ?? findNamed(settings, official);
  if (named !== null) return named;
  if (official.startsWith("arn:")) return model;
  const profile = findProfile(settings);
  const name = toBedrockName(official);
  return profile === "none" ? name : `${profile}.${name}`;
}

/** Returns the id of a request's model. Throws a 400 for an ARN of the client, whose model and price are unknown. */
function getModelId(settings: BedrockSettings, model: string): string {
  const id = toModelId(settings, model);
  if (id.startsWith("arn:") && id === model) {
    throw refuseField(
      "model",
      "the ARN does not name a Claude model. Send the name of a model. An administrator can list ARNs in the settings of the upstream.",
    );
  }
  return id;
}

/** Turns `{inputTokens}` into the official count. */
class CountTranslator implements AnswerTranslator {
  readonly contentType = JSON_TYPE;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  push(chunk: Buffer): Buffer {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_COUNT_BYTES) throw new Error("the count is too long");
    this.#chunks.push(Buffer.from(chunk));
    return Buffer.alloc(0);
  }

  end(): Buffer {
    const text = Buffer.concat(this.#chunks).toString("utf8");
    const { inputTokens } = JSON.parse(text) as { inputTokens?: unknown };
    return Buffer.from(JSON.stringify({ input_tokens: inputTokens }));
  }
}

const MAX_COUNT_BYTES = 64 * 1024;

import type { Provider, ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import { toMantleName } from "#src/domain/platform-models.ts";
import type { TunnelProxy } from "#src/http1/open-tunnel.ts";
import type { HttpClient, StreamedClient } from "#src/lib/http-client.ts";
import type { Logger } from "#src/lib/logger.ts";
import { makeSigner } from "./bedrock/aws-credentials.ts";
import { makeBedrockDialect } from "./bedrock/bedrock-dialect.ts";
import type { Dialect } from "./dialect.ts";
import { makeEntraAuthorizer } from "./foundry/entra-credentials.ts";
import { makeFoundryObjects } from "./foundry/foundry-objects.ts";
import { makeMessagesDialect } from "./messages-dialect.ts";
import { findNamed } from "./model-names.ts";
import { makeDialectClient, type ProviderWarnings } from "./provider-client.ts";
import { makeGoogleAuthorizer } from "./vertex/google-credentials.ts";
import { makeVertexDialect } from "./vertex/vertex-dialect.ts";

export interface ProviderClientOptions {
  settings: ProviderSettings;
  /** Address of the platform, with a path or without. */
  baseUrl: string;
  /** Null: the credentials of the machine. */
  credential: string | null;
  /** Headers of the upstream's settings: a flat list with names in lower case. */
  extraHeaders: readonly string[];
  /** Proxy of the platform, and of the servers of its credentials. Null: none. */
  proxy: TunnelProxy | null;
  /** `BURSAR_ALLOW_MACHINE_CREDENTIALS`. */
  isMachineAllowed: boolean;
  /** Milliseconds since the epoch. */
  nowMs: () => number;
  logger: Logger;
}

/**
 * Creates a client of a cloud platform that takes official requests. `inner` is the client of the platform's origin. Throws an
 * Error for a credential that is not of the kind in the settings, and for credentials of the machine that are not allowed.
 */
export function makeProviderClient(options: ProviderClientOptions, inner: HttpClient): HttpClient {
  checkMachine(options);
  const dialect = makeDialect(options);
  return makeDialectClient({ dialect, inner, ...makeWarnings(dialect.provider, options.logger) });
}

/**
 * Creates the client for stored objects of a cloud platform. Null: the platform stores none. `makeInner` creates the client
 * of the platform's origin. Throws as `makeProviderClient` does.
 */
export function makeProviderObjects(
  options: ProviderClientOptions,
  makeInner: () => StreamedClient,
): StreamedClient | null {
  const { settings, baseUrl, credential, proxy, extraHeaders, logger } = options;
  if (settings.provider !== "foundry") return null;
  checkMachine(options);
  return makeFoundryObjects({
    inner: makeInner(),
    basePath: toBasePath(baseUrl),
    authorize: makeEntraAuthorizer(settings, credential, { proxy }),
    extraHeaders,
    warnings: makeWarnings(settings.provider, logger),
  });
}

function checkMachine({ settings, isMachineAllowed }: ProviderClientOptions): void {
  if (settings.authentication === "machine" && !isMachineAllowed) {
    throw new Error("BURSAR_ALLOW_MACHINE_CREDENTIALS does not allow the machine's credentials");
  }
}

function makeWarnings(provider: Provider, logger: Logger): ProviderWarnings {
  return {
    onRefusedCredential: ({ status, body }) =>
      logger.warn(
        { provider, status, answer: body.slice(0, MAX_LOGGED_CHARACTERS) },
        "the cloud platform refused the credential of an upstream",
      ),
    onLoadFailure: (error) =>
      logger.warn(
        { provider, reason: error.message.slice(0, MAX_LOGGED_CHARACTERS) },
        "the credentials of an upstream on a cloud platform could not be loaded",
      ),
  };
}

function toBasePath(baseUrl: string): string {
  return new URL(baseUrl).pathname.replace(/\/+$/, "");
}

const MAX_LOGGED_CHARACTERS = 500;

/** Creates the form of the platform in the settings. Throws an Error for a credential of another kind. */
export function makeDialect({
  settings,
  baseUrl,
  credential,
  extraHeaders,
  nowMs,
  proxy,
}: Omit<ProviderClientOptions, "isMachineAllowed" | "logger">): Dialect {
  const { host } = new URL(baseUrl);
  const basePath = toBasePath(baseUrl);
  switch (settings.provider) {
    case "bedrock": {
      const sign = makeSigner({ settings, credential, nowMs, proxy });
      if (settings.api !== "messages") {
        return makeBedrockDialect({ settings, host, basePath, sign, extraHeaders });
      }
      return makeMessagesDialect({
        name: "Amazon Bedrock",
        settings,
        basePath,
        authorize: (call) => sign({ ...call, host }),
        toModelName: (model) => findNamed(settings, model) ?? toMantleName(model),
        extraHeaders,
      });
    }
    case "vertex": {
      const authorize = makeGoogleAuthorizer(settings, credential, proxy);
      return makeVertexDialect({ settings, basePath, authorize, extraHeaders });
    }
    case "foundry":
      return makeMessagesDialect({
        name: "Microsoft Foundry",
        settings,
        basePath,
        authorize: makeEntraAuthorizer(settings, credential, { proxy }),
        toModelName: (model) => findNamed(settings, model) ?? model,
        extraHeaders,
      });
  }
}

/** Returns the public address of a platform. */
export function defaultBaseUrl(settings: ProviderSettings): string {
  switch (settings.provider) {
    case "bedrock": {
      const { region, api } = settings;
      return api === "messages"
        ? `https://bedrock-mantle.${region}.api.aws`
        : `https://bedrock-runtime.${region}.amazonaws.com`;
    }
    case "vertex":
      return vertexBaseUrl(settings.region);
    case "foundry":
      return `https://${settings.resource}.services.ai.azure.com`;
  }
}

function vertexBaseUrl(region: string): string {
  if (region === "global") return "https://aiplatform.googleapis.com";
  const isMultiRegion = region === "us" || region === "eu";
  return isMultiRegion
    ? `https://aiplatform.${region}.rep.googleapis.com`
    : `https://${region}-aiplatform.googleapis.com`;
}

import {
  type ProviderSettings,
  providerSettings,
} from "@bursar/contract/admin/provider-settings.ts";
import type { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import type { Logger } from "#src/lib/logger.ts";
import { type ClientOptions, makeClient, makeObjectClient } from "./make-client.ts";
import { makeProviderClient, makeProviderObjects } from "./providers/make-provider-client.ts";
import { toPlatformTerms } from "./providers/price-terms.ts";
import {
  describeProviderCredential,
  findCredentialFault,
} from "./providers/provider-credential.ts";
import type { Upstream } from "./upstream.ts";
import { UpstreamHealth } from "./upstream-health.ts";
import { formatCredentialHint } from "./upstream-url.rule.ts";

/** Model of tests without names in the settings. All platforms have it. */
const COMMON_MODEL = "claude-haiku-4-5";

export interface ProviderUpstreamOptions extends ClientOptions {
  id: string;
  baseUrl: string;
  settings: ProviderSettings;
  /** Null: the credentials of the machine. */
  credential: string | null;
  /** Headers of each request: a flat list. */
  extraHeaders: readonly string[];
  isMachineAllowed: boolean;
  nowMs: () => number;
  logger: Logger;
}

/** Makes the upstream of a cloud platform. Throws an Error for a credential that does not fit. */
export function makeProviderUpstream(options: ProviderUpstreamOptions): Upstream {
  const { id, baseUrl, settings, credential, extraHeaders, isMachineAllowed, nowMs, ...others } =
    options;
  const { logger, ...clientOptions } = others;
  const proxy = clientOptions.proxy ?? null;
  const { origin } = new URL(baseUrl);
  const client = {
    settings,
    baseUrl,
    credential,
    extraHeaders,
    isMachineAllowed,
    nowMs,
    logger,
    proxy,
  };
  return {
    id,
    kind: settings.provider,
    describe: { origin, source: "stored" },
    client: makeProviderClient(client, makeClient({ origin }, clientOptions)),
    objects: makeProviderObjects(client, () => makeObjectClient({ origin }, clientOptions)),
    // The clients add the path of the base URL.
    basePath: "",
    credential: null,
    testModel: Object.keys(settings.model_names ?? {})[0] ?? COMMON_MODEL,
    priceTerms: toPlatformTerms(settings),
    health: new UpstreamHealth(),
  };
}

/** Reads stored settings. Null: another version of this server has stored them. */
export function readProviderSettings(stored: unknown): ProviderSettings | null {
  const parsed = providerSettings.safeParse(stored);
  return parsed.success ? parsed.data : null;
}

/** Throws a 400 for a credential that does not fit the settings. Returns its hint. */
export function checkProviderCredential(
  settings: ProviderSettings,
  credential: string | null,
  isMachineAllowed: boolean,
): string | null {
  if (settings.authentication === "machine") {
    if (!isMachineAllowed) {
      throw refuse(
        "provider_settings.authentication",
        "the operator has not set BURSAR_ALLOW_MACHINE_CREDENTIALS=on",
      );
    }
    if (credential !== null) throw refuse("credential", "the machine has its own credentials");
    return null;
  }
  if (credential === null) return null;
  const fault = findCredentialFault(settings, credential);
  if (fault !== null) throw refuse("credential", fault);
  return describeProviderCredential(settings, credential) ?? formatCredentialHint(credential);
}

function refuse(field: string, reason: string): ApiError {
  return refuseField(field, `${reason}.`);
}

import type { ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import type { UpstreamProvider } from "@bursar/contract/admin/upstreams.ts";
import { toLines } from "../../ui/form.ts";
import {
  type Authentication,
  authentications,
  type BedrockApi,
  type InferenceProfile,
} from "./provider-words.ts";

// Fields about a cloud platform, and what they become on the wire.

export interface ProviderValues {
  provider: UpstreamProvider;
  region: string;
  project_id: string;
  resource: string;
  authentication: Authentication | "";
  api: BedrockApi;
  /** Empty: the geography of the region. */
  inference_profile: InferenceProfile | "";
  is_us_data_zone: boolean;
  /** One per line: official name = name of the platform. */
  model_names: string;
  betas: string;
  access_key_id: string;
  secret_access_key: string;
  session_token: string;
  tenant_id: string;
  client_id: string;
  client_secret: string;
  service_account: string;
}

export function toProviderValues(
  provider: UpstreamProvider,
  settings: ProviderSettings | null,
): ProviderValues {
  const bedrock = settings?.provider === "bedrock" ? settings : null;
  const names = Object.entries(settings?.model_names ?? {});
  return {
    provider,
    region: settings && "region" in settings ? settings.region : "",
    project_id: settings?.provider === "vertex" ? settings.project_id : "",
    resource: settings?.provider === "foundry" ? settings.resource : "",
    authentication: settings?.authentication ?? findDefault(provider),
    api: bedrock?.api ?? "invoke",
    inference_profile: bedrock?.inference_profile ?? "",
    is_us_data_zone: settings?.provider === "foundry" && settings.is_us_data_zone === true,
    model_names: names.map(([official, own]) => `${official} = ${own}`).join("\n"),
    betas: (settings?.betas ?? []).join("\n"),
    ...{ access_key_id: "", secret_access_key: "", session_token: "" },
    ...{ tenant_id: "", client_id: "", client_secret: "", service_account: "" },
  };
}

/** Null: the provider is Anthropic itself. */
export function toProviderSettings(values: ProviderValues): ProviderSettings | null {
  const names = parseModelNames(values.model_names);
  const betas = toLines(values.betas);
  const shared = {
    ...(names.size > 0 && { model_names: Object.fromEntries(names) }),
    ...(betas.length > 0 && { betas }),
  };
  switch (values.provider) {
    case "anthropic":
      return null;
    case "bedrock":
      return {
        provider: "bedrock",
        region: values.region.trim(),
        ...(values.api === "messages" && { api: "messages" }),
        ...(values.inference_profile !== "" && {
          inference_profile: values.inference_profile,
        }),
        authentication: pick(authentications.bedrock, values.authentication),
        ...shared,
      };
    case "vertex":
      return {
        provider: "vertex",
        region: values.region.trim(),
        project_id: values.project_id.trim(),
        authentication: pick(authentications.vertex, values.authentication),
        ...shared,
      };
    case "foundry":
      return {
        provider: "foundry",
        resource: values.resource.trim(),
        authentication: pick(authentications.foundry, values.authentication),
        ...(values.is_us_data_zone && { is_us_data_zone: true }),
        ...shared,
      };
  }
}

function findDefault(provider: UpstreamProvider): Authentication | "" {
  return provider === "anthropic" ? "" : authentications[provider][0];
}

/** The chosen kind, or the default of the platform. */
function pick<Kind extends string>(kinds: readonly [Kind, ...Kind[]], chosen: string): Kind {
  return kinds.find((kind) => kind === chosen) ?? kinds[0];
}

/** Credential of the entered fields. Empty: none was entered. `key` is the field of a single key. */
export function toCredential(values: ProviderValues, key: string): string {
  switch (values.authentication) {
    case "access_key":
      return toJson({
        access_key_id: values.access_key_id,
        secret_access_key: values.secret_access_key,
        session_token: values.session_token,
      });
    case "client_secret":
      return toJson({
        tenant_id: values.tenant_id,
        client_id: values.client_id,
        client_secret: values.client_secret,
      });
    case "service_account":
      return values.service_account.trim();
    case "machine":
      return "";
    case "api_key":
    case "":
      return key.trim();
  }
}

/** Official names with those of the platform. Lines without both are left out. */
export function parseModelNames(text: string): Map<string, string> {
  const names = toLines(text).map(splitName);
  return new Map(names.filter(([official, own]) => official !== "" && own !== ""));
}

/** Message about the first line without both names. Null: each line has both. */
export function findNameFault(text: string): string | null {
  const faulty = toLines(text).find((line) => splitName(line).includes(""));
  return faulty === undefined ? null : `Write both names: claude-opus-5 = ${faulty}`;
}

function splitName(line: string): [official: string, own: string] {
  const at = line.indexOf("=");
  return at === -1 ? ["", line] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

/** JSON of the filled fields. Empty without one. */
function toJson(fields: Record<string, string>): string {
  const filled = Object.entries(fields)
    .map(([name, text]) => [name, text.trim()] as const)
    .filter(([, text]) => text !== "");
  return filled.length === 0 ? "" : JSON.stringify(Object.fromEntries(filled));
}

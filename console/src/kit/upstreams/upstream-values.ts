import type { UpstreamProvider } from "@bursar/contract/admin/upstreams.ts";
import type { Input } from "../../api-client.ts";
import {
  type ProviderValues,
  toCredential,
  toProviderSettings,
  toProviderValues,
} from "./provider-values.ts";
import { providerWords } from "./provider-words.ts";
import type { Upstream } from "./queries.ts";

// Fields of the form of an upstream, and what they become on the wire.

interface HeaderValue {
  name: string;
  value: string;
}

export interface UpstreamValues extends ProviderValues {
  name: string;
  /** Empty: the public address of the platform. */
  base_url: string;
  credential: string;
  /** New headers, which replace the stored ones. Empty: those stay. */
  headers: HeaderValue[];
  /** Deletes the stored headers. */
  isWithoutHeaders: boolean;
  proxy_url: string;
  upstream_workspace_id: string;
}

const ANTHROPIC = "https://api.anthropic.com";

/** Fields of a stored upstream, or of a new one. */
export function toValues(
  upstream: Upstream | null,
  provider: UpstreamProvider = "anthropic",
): UpstreamValues {
  return {
    ...toProviderValues(upstream?.provider ?? provider, upstream?.provider_settings ?? null),
    name: upstream?.name ?? (provider === "anthropic" ? "Claude API" : providerWords[provider]),
    base_url: upstream?.base_url ?? (provider === "anthropic" ? ANTHROPIC : ""),
    credential: "",
    headers: [],
    isWithoutHeaders: false,
    proxy_url: upstream?.proxy_url ?? "",
    upstream_workspace_id: upstream?.upstream_workspace_id ?? "",
  };
}

/** Body that creates an upstream. Empty fields are left out. */
export function toNewUpstream(values: UpstreamValues): Input<"createUpstream">["body"] {
  const headers = toHeaders(values.headers);
  const settings = toProviderSettings(values);
  const credential = toCredential(values, values.credential);
  const address = values.base_url.trim();
  const proxy = values.proxy_url.trim();
  const workspaceId = settings === null ? values.upstream_workspace_id.trim() : "";
  return {
    name: values.name.trim(),
    ...(address !== "" && { base_url: address }),
    ...(settings && { provider_settings: settings }),
    ...(credential !== "" && { credential }),
    ...(headers && { extra_headers: headers }),
    ...(proxy !== "" && { proxy_url: proxy }),
    ...(workspaceId !== "" && { upstream_workspace_id: workspaceId }),
  };
}

/** Body that changes an upstream. Has the changed fields only, so that changes of other members stay. */
export function toUpstreamChange(
  before: Upstream,
  values: UpstreamValues,
): Input<"updateUpstream">["body"] {
  const name = values.name.trim();
  // An empty address of a platform stays as it is.
  const address = values.base_url.trim() || before.base_url;
  const credential = toCredential(values, values.credential);
  const headers = toHeaders(values.headers);
  const settings = toProviderSettings(values);
  const hasNewSettings = JSON.stringify(settings) !== JSON.stringify(toSettings(before));
  const hasSecrets = credential !== "" || headers !== null;
  const proxy = toNull(values.proxy_url);
  const workspaceId = toNull(values.upstream_workspace_id);
  return {
    ...(name !== before.name && { name }),
    // Secrets are sent with their address. New settings of a platform decide its public address.
    ...((address !== before.base_url || (hasSecrets && !hasNewSettings)) && { base_url: address }),
    ...(hasNewSettings && settings && { provider_settings: settings }),
    ...(credential !== "" && { credential }),
    ...(headers ? { extra_headers: headers } : values.isWithoutHeaders && { extra_headers: null }),
    ...(proxy !== before.proxy_url && { proxy_url: proxy }),
    ...(workspaceId !== before.upstream_workspace_id && { upstream_workspace_id: workspaceId }),
  };
}

/** Parts of each request that a change replaces, beside address, key and headers. */
export function listChangedParts(change: Input<"updateUpstream">["body"]): string[] {
  return [
    ...(change.provider_settings === undefined ? [] : ["settings"]),
    ...(change.proxy_url === undefined ? [] : ["proxy"]),
    ...(change.upstream_workspace_id === undefined ? [] : ["workspace id"]),
  ];
}

/** True if a change names another kind of credential. */
export function hasOtherKind(
  before: Upstream,
  { provider_settings: settings }: Input<"updateUpstream">["body"],
): boolean {
  return (
    settings !== undefined && settings.authentication !== before.provider_settings?.authentication
  );
}

/** True if a change names another place of a platform, which its public address depends on. */
export function hasOtherPlace(
  before: Upstream,
  { provider_settings: settings }: Input<"updateUpstream">["body"],
): boolean {
  if (settings === undefined) return false;
  const place = ({ region, resource, api }: UpstreamValues) => `${region} ${resource} ${api}`;
  const after = { ...before, provider_settings: settings };
  return place(toValues(before)) !== place(toValues(after));
}

/** Settings in the form in which a form writes them. */
function toSettings({ provider, provider_settings }: Upstream) {
  return toProviderSettings(toProviderValues(provider, provider_settings));
}

/** Null: no header was entered. */
function toHeaders(headers: readonly HeaderValue[]): Record<string, string> | null {
  const entered = headers.filter(({ name }) => name.trim() !== "");
  if (entered.length === 0) return null;
  return Object.fromEntries(entered.map(({ name, value }) => [name.trim(), value.trim()]));
}

function toNull(text: string): string | null {
  return text.trim() === "" ? null : text.trim();
}

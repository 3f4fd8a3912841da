import type { Input } from "../../api-client.ts";
import type { Upstream } from "./queries.ts";

// Fields of the form of an upstream, and what they become on the wire.

interface HeaderValue {
  name: string;
  value: string;
}

export interface UpstreamValues {
  name: string;
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
export function toValues(upstream: Upstream | null): UpstreamValues {
  return {
    name: upstream?.name ?? "Claude API",
    base_url: upstream?.base_url ?? ANTHROPIC,
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
  const credential = values.credential.trim();
  const proxy = values.proxy_url.trim();
  const workspaceId = values.upstream_workspace_id.trim();
  return {
    name: values.name.trim(),
    base_url: values.base_url.trim(),
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
  const address = values.base_url.trim();
  const credential = values.credential.trim();
  const headers = toHeaders(values.headers);
  const proxy = toNull(values.proxy_url);
  const workspaceId = toNull(values.upstream_workspace_id);
  return {
    ...(name !== before.name && { name }),
    // Secrets are sent with their address.
    ...((address !== before.base_url || credential !== "" || headers) && { base_url: address }),
    ...(credential !== "" && { credential }),
    ...(headers ? { extra_headers: headers } : values.isWithoutHeaders && { extra_headers: null }),
    ...(proxy !== before.proxy_url && { proxy_url: proxy }),
    ...(workspaceId !== before.upstream_workspace_id && { upstream_workspace_id: workspaceId }),
  };
}

/** Parts of each request that a change replaces, beside address, key and headers. */
export function listChangedParts(change: Input<"updateUpstream">["body"]): string[] {
  return [
    ...(change.proxy_url === undefined ? [] : ["proxy"]),
    ...(change.upstream_workspace_id === undefined ? [] : ["workspace id"]),
  ];
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

import { formatPlural } from "../../ui/format.ts";

// Effects of a change of the upstream, as sentences.

/** Use of the upstream. Undefined: unknown. */
interface Use {
  /** Active workspaces, which all use it. */
  workspaces: number | undefined;
  /** Requests of the last hour. */
  requests: number | undefined;
}

interface UpstreamChange extends Use {
  before: { base_url: string; has_credential: boolean };
  base_url: string;
  hasNewCredential: boolean;
}

/** Effects of a new address or credential. A new name alone has none. */
export function describeUpstreamChange(change: UpstreamChange): string[] {
  const { before, base_url, hasNewCredential } = change;
  const isMoved = base_url !== before.base_url;
  if (!isMoved && !hasNewCredential) return [];
  const effect = isMoved ? "are sent to the new address" : "use the new key";
  return [
    `New requests of ${nameWorkspaces(change)} ${effect} within a second.`,
    ...describeCredential(change, isMoved),
    ...describeRequests(change),
    "Running requests end with the old address and key.",
  ];
}

function describeCredential(
  { before, hasNewCredential }: UpstreamChange,
  isMoved: boolean,
): string[] {
  if (hasNewCredential) {
    const start = before.has_credential
      ? ["The old key is deleted here, and stays valid at its issuer."]
      : [];
    return [...start, "If the upstream does not accept the new key, it refuses every request."];
  }
  if (!isMoved || !before.has_credential) return [];
  return ["The stored key is deleted. Without a new one, the upstream refuses every request."];
}

/** Effects of a deletion. */
export function describeUpstreamDeletion(use: Use): string[] {
  return [
    `New requests of ${nameWorkspaces(use)} are sent to the upstream of the server’s environment within a second. Without one, the simulator answers.`,
    ...describeRequests(use),
    "Running requests end with this upstream.",
    "The stored key is permanently deleted. To return, store the upstream again with its key.",
  ];
}

function nameWorkspaces({ workspaces }: Use): string {
  if (workspaces === undefined) return "every workspace";
  return workspaces === 1 ? "the only workspace" : `all ${formatPlural(workspaces, "workspace")}`;
}

function describeRequests({ requests }: Use): string[] {
  if (requests === undefined) return [];
  if (requests === 0) return ["No request was sent in the last hour."];
  return [
    `${formatPlural(requests, "request")} of the last hour ${requests === 1 ? "was" : "were"} sent through this upstream.`,
  ];
}

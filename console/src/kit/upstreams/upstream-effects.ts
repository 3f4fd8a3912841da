import { formatPlural } from "../../ui/format.ts";
import { DEFAULT_SUBJECT, describeOrderChange, type NamedUpstream } from "./order-effects.ts";

// Effects of a change of an upstream, as sentences.

/** Use of the upstream. Undefined: unknown. */
interface Use {
  /** Active workspaces. They all use the only upstream. */
  workspaces: number | undefined;
  /** Requests of the last hour, through all upstreams. */
  requests: number | undefined;
  /** The organization has no other upstream. */
  isOnly: boolean;
}

interface UpstreamChange extends Use {
  before: { base_url: string; has_credential: boolean; extra_header_names: readonly string[] };
  base_url: string;
  hasNewCredential: boolean;
  hasNewHeaders: boolean;
  /** The credential is of another kind now. */
  hasOtherKind: boolean;
  /** The public address of the platform is another one now. */
  hasOtherPlace: boolean;
  /** Other changed parts of each request, such as "proxy". */
  changed: readonly string[];
}

/** Effects of new connection settings. A new name alone has none. */
export function describeUpstreamChange(change: UpstreamChange): string[] {
  const { before, base_url, hasNewCredential, hasNewHeaders } = change;
  const isMoved = base_url !== before.base_url;
  const changed = [
    ...(hasNewCredential && !isMoved ? ["key"] : []),
    ...(hasNewHeaders && !isMoved ? ["headers"] : []),
    ...change.changed,
  ];
  if (!isMoved && changed.length === 0) return [];
  const effect = isMoved ? "are sent to the new address" : `use the new ${joinWords(changed)}`;
  return [
    `New requests ${nameRequests(change)} ${effect} within a second.`,
    ...describeCredential(change, isMoved),
    ...describeLostHeaders(change, isMoved),
    ...describeRequests(change),
    "Running requests end with the old settings.",
  ];
}

function describeCredential(
  { before, hasNewCredential, hasOtherKind, hasOtherPlace }: UpstreamChange,
  isMoved: boolean,
): string[] {
  if (hasNewCredential) {
    const start = before.has_credential
      ? ["The old key is deleted here, and stays valid at its issuer."]
      : [];
    return [...start, "If the upstream does not accept the new key, it refuses every request."];
  }
  if (!before.has_credential) return [];
  if (isMoved || hasOtherKind) {
    return ["The stored key is deleted. Without a new one, the upstream refuses every request."];
  }
  return hasOtherPlace
    ? [
        "The stored key is deleted if the address is the public one of the platform. Enter it again.",
      ]
    : [];
}

function describeLostHeaders(
  { before, hasNewHeaders }: UpstreamChange,
  isMoved: boolean,
): string[] {
  const names = before.extra_header_names;
  if (!isMoved || hasNewHeaders || names.length === 0) return [];
  return [`The stored headers are deleted: ${names.join(", ")}.`];
}

interface Deletion extends Use {
  upstream: NamedUpstream;
  /** Default order with the upstream. */
  order: readonly NamedUpstream[];
}

/** Effects of a deletion. */
export function describeUpstreamDeletion(deletion: Deletion): string[] {
  const end = [
    "Its files, skills, containers and message batches cannot be reached any more.",
    "The stored key is permanently deleted. To return, store the upstream again with its key.",
  ];
  if (deletion.isOnly) {
    return [
      `New requests ${nameRequests(deletion)} are sent to the upstream of the server’s environment within a second. Without one, the simulator answers.`,
      ...describeRequests(deletion),
      "Running requests end with this upstream.",
      ...end,
    ];
  }
  const { upstream, order, requests } = deletion;
  const after = order.filter(({ id }) => id !== upstream.id);
  const change = { before: order, after, requestsOf: DEFAULT_SUBJECT, isDefault: null, requests };
  return [
    ...describeOrderChange(change),
    "A workspace with an order that names it must get another order first.",
    ...end,
  ];
}

/** Requests through the upstream: of whom. */
function nameRequests({ workspaces, isOnly }: Use): string {
  if (!isOnly) return "to this upstream";
  if (workspaces === undefined) return "of every workspace";
  return workspaces === 1
    ? "of the only workspace"
    : `of all ${formatPlural(workspaces, "workspace")}`;
}

function describeRequests({ requests, isOnly }: Use): string[] {
  if (requests === undefined) return [];
  if (requests === 0) return ["No request was sent in the last hour."];
  const through = isOnly ? "this upstream" : "all upstreams";
  return [
    `${formatPlural(requests, "request")} of the last hour ${requests === 1 ? "was" : "were"} sent through ${through}.`,
  ];
}

function joinWords(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}

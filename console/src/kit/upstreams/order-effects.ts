import { formatPlural } from "../../ui/format.ts";
import { type Credentialed, lacksCredential } from "./lacks-credential.ts";

// Effects of another order of upstreams, as sentences.

export interface NamedUpstream extends Credentialed {
  id: string;
  name: string;
}

interface OrderChange {
  /** Upstreams in the order of attempts. */
  before: readonly NamedUpstream[];
  after: readonly NamedUpstream[];
  /** Subject of the requests, such as "this workspace". */
  requestsOf: string;
  /** Order that loses an upstream: the default one, or that of a workspace. Null: the upstream is deleted. */
  isDefault: boolean | null;
  /** Requests of the last hour. Undefined: unknown. */
  requests: number | undefined;
}

/** Subject of requests that follow the default order. */
export const DEFAULT_SUBJECT = "workspaces without an own order";

/** Effects of a new order. An unchanged one has none. Requests skip upstreams without a credential. */
export function describeOrderChange(change: OrderChange): string[] {
  const { before, after } = change;
  if (isSameOrder(before, after)) return [];
  const used = { ...change, before: before.filter(isUsable), after: after.filter(isUsable) };
  if (used.after.length === 0) {
    return [
      `New requests of ${change.requestsOf} are refused within a second, because ${nameMissing(after)}.`,
      ...describeRequests(change.requests),
    ];
  }
  return [
    ...describeFirst(used),
    ...describeNext(used),
    ...describeSkipped(change),
    ...describeLeftOut(change),
    ...describeRequests(change.requests),
    "Running requests end with their upstream.",
  ];
}

function isUsable(upstream: NamedUpstream): boolean {
  return !lacksCredential(upstream);
}

function nameMissing(after: readonly NamedUpstream[]): string {
  return after.length === 0 ? "no upstream is left" : "no upstream of the order has a credential";
}

function isSameOrder(before: readonly NamedUpstream[], after: readonly NamedUpstream[]): boolean {
  return before.length === after.length && before.every(({ id }, place) => id === after[place]?.id);
}

function describeFirst({ before, after, requestsOf }: OrderChange): string[] {
  const [earlier] = before;
  const [first] = after;
  if (first === undefined || first.id === earlier?.id) return [];
  const start = `New requests of ${requestsOf} go to “${first.name}” first`;
  if (earlier === undefined) return [`${start} within a second.`];
  return [
    `${start}, instead of “${earlier.name}”, within a second.`,
    `Prompt caches of “${earlier.name}” are not at “${first.name}”. Requests write them again.`,
  ];
}

function describeNext({ after: [first, next] }: OrderChange): string[] {
  if (first === undefined) return [];
  return [
    next === undefined
      ? `If “${first.name}” cannot be reached, no other upstream takes its requests.`
      : `If “${first.name}” cannot be reached, or answers 429 or 529, requests go to “${next.name}” next.`,
  ];
}

function describeSkipped({ after }: OrderChange): string[] {
  return after
    .filter(lacksCredential)
    .map(({ name }) => `“${name}” has no credential, so requests skip it.`);
}

function describeLeftOut({ before, after, isDefault }: OrderChange): string[] {
  if (isDefault === null) return [];
  return before
    .filter(({ id }) => !after.some((kept) => kept.id === id))
    .map(({ name }) =>
      isDefault
        ? `“${name}” serves only workspaces with an order that names it.`
        : `“${name}” gets no new request of this workspace.`,
    );
}

function describeRequests(requests: number | undefined): string[] {
  if (requests === undefined) return [];
  if (requests === 0) return ["No request was sent in the last hour."];
  return [
    `${formatPlural(requests, "request")} ${requests === 1 ? "was" : "were"} sent in the last hour.`,
  ];
}

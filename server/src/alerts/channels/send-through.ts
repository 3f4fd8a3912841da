import type { AlertMessage } from "#src/alerts/firing/alert-message.ts";
import type { GuardedAnswer, GuardedRequest } from "#src/lib/guarded-client.ts";
import { toOneLine } from "#src/mail/layout.ts";
import type { ChannelTarget } from "./channel-secrets.ts";
import type { Outgoing } from "./outgoing.ts";
import { toPagerDutyEvent, toPagerDutyUpdate } from "./pagerduty-event.ts";
import { signWebhook } from "./sign-webhook.ts";
import { findSlackMistake } from "./slack-host.rule.ts";
import { toSlackMessage } from "./slack-message.ts";

/** Outcome of one attempt. `status`: HTTP status of the response, null without one. */
export type Outcome =
  | { kind: "sent"; status: number }
  | {
      kind: "failed";
      status: number | null;
      reason: string;
      /** Wait that the receiver requests. */
      retryAfterSeconds: number | null;
      /** The receiver responds 410: it no longer exists. */
      isGone: boolean;
    };

export interface SendDeps extends Outgoing {
  nowMs: () => number;
}

const MAX_REASON = 300;
const GONE = 410;
const JSON_HEADERS = { "content-type": "application/json" };

/** Makes one attempt to send the message to the channel's target. `secrets` sign the message of a webhook. */
export async function sendThrough(
  deps: SendDeps,
  { target, secrets }: { target: ChannelTarget; secrets: readonly string[] },
  message: AlertMessage,
): Promise<Outcome> {
  // Earlier versions stored other addresses as Slack channels.
  const mistake =
    target.kind === "slack" ? findSlackMistake(target.url, deps.client.isListed(target.url)) : null;
  if (mistake !== null) {
    const reason = `The address is invalid: ${mistake}.`;
    return { kind: "failed", status: null, reason, retryAfterSeconds: null, isGone: false };
  }
  return postToTarget(deps, target, makeRequest(deps, { target, secrets }, message));
}

function makeRequest(
  deps: SendDeps,
  { target, secrets }: { target: ChannelTarget; secrets: readonly string[] },
  message: AlertMessage,
) {
  switch (target.kind) {
    case "slack":
      return { url: target.url, headers: JSON_HEADERS, body: toSlackMessage(message) };
    case "pagerduty":
      return {
        url: deps.pagerDutyUrl(target.region),
        headers: JSON_HEADERS,
        body: toPagerDutyEvent(message, target.routing_key),
      };
    case "webhook": {
      const body = JSON.stringify(message.payload);
      const signature = signWebhook(secrets, { id: message.id, atMs: deps.nowMs(), body });
      return { url: target.url, headers: { ...JSON_HEADERS, ...signature }, body };
    }
  }
}

export function updatePagerDutyIncident(
  deps: SendDeps,
  target: Extract<ChannelTarget, { kind: "pagerduty" }>,
  { action, firingId }: { action: "acknowledge" | "resolve"; firingId: string },
): Promise<Outcome> {
  return postToTarget(deps, target, {
    url: deps.pagerDutyUrl(target.region),
    headers: JSON_HEADERS,
    body: toPagerDutyUpdate(action, { firingId, routingKey: target.routing_key }),
  });
}

async function postToTarget(
  { client, nowMs }: SendDeps,
  target: ChannelTarget,
  request: GuardedRequest,
): Promise<Outcome> {
  return toOutcome(await client.post(request), target, nowMs());
}

function toOutcome(answer: GuardedAnswer, target: ChannelTarget, nowMs: number): Outcome {
  if (answer.kind !== "answered") {
    const { reason } = answer;
    return { kind: "failed", status: null, reason, retryAfterSeconds: null, isGone: false };
  }
  const { status, text, retryAfter } = answer;
  if (status >= 200 && status < 300) return { kind: "sent", status };
  const isRedirect = status >= 300 && status < 400;
  const details = isRedirect ? "redirects are not followed" : hideTarget(text, target);
  const reason = `HTTP ${status}${details === "" ? "" : `: ${details}`}`;
  return {
    kind: "failed",
    status,
    reason: reason.slice(0, MAX_REASON),
    retryAfterSeconds: retryAfter === null ? null : parseRetryAfter(retryAfter, nowMs),
    isGone: status === GONE,
  };
}

/** The text of a receiver for the history: one line, without parts of its address that it may repeat. */
function hideTarget(text: string, target: ChannelTarget): string {
  const secrets =
    target.kind === "pagerduty" ? [target.routing_key] : listTargetSecrets(target.url);
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, "…"), toOneLine(text));
}

/** A shorter part of an address is not secret. Hiding it would remove common words from the text. */
const MIN_SECRET_PART = 8;

/** Parts of an address that may grant access, longest first: the whole, and each part of its path and query. */
function listTargetSecrets(address: string): string[] {
  const { pathname, search, searchParams } = new URL(address);
  const parts = [
    ...pathname.split("/"),
    ...search.slice(1).split(/[&=]/),
    ...searchParams.values(),
  ];
  const long = parts.filter((part) => part.length >= MIN_SECRET_PART);
  const whole = [address, pathname + search, pathname].filter((each) => each.length > 1);
  return [...new Set([...whole, ...long])].sort((a, b) => b.length - a.length);
}

/** Parses seconds or an HTTP date. Returns seconds, or null for any other text. */
function parseRetryAfter(text: string, nowMs: number): number | null {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - nowMs) / 1_000));
}

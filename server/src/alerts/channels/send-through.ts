import type { AlertMessage } from "#src/alerts/firing/alert-message.ts";
import type { GuardedAnswer, GuardedRequest } from "#src/lib/guarded-client.ts";
import { toOneLine } from "#src/mail/layout.ts";
import type { ChannelTarget } from "./channel-secrets.ts";
import type { Outgoing } from "./outgoing.ts";
import { toPagerDutyEvent, toPagerDutyUpdate } from "./pagerduty-event.ts";
import { signWebhook } from "./sign-webhook.ts";
import { toSlackMessage } from "./slack-message.ts";

/** What came of one attempt. `status` is HTTP's, null where nothing came back. */
export type Outcome =
  | { kind: "sent"; status: number }
  | {
      kind: "failed";
      status: number | null;
      reason: string;
      /** What the receiver asks for. */
      retryAfterSeconds: number | null;
      /** The receiver says that there will never be anybody there again. */
      isGone: boolean;
    };

export interface SendDeps extends Outgoing {
  nowMs: () => number;
}

const MAX_REASON = 300;
const GONE = 410;
const JSON_HEADERS = { "content-type": "application/json" };

/** One attempt to send the message to where the channel leads. `secrets` sign it where it is a webhook. */
export async function sendThrough(
  deps: SendDeps,
  { target, secrets }: { target: ChannelTarget; secrets: readonly string[] },
  message: AlertMessage,
): Promise<Outcome> {
  return post(deps, target, requestOf(deps, { target, secrets }, message));
}

function requestOf(
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

/** Tells PagerDuty that somebody has seen to what fired, or that it is over. */
export function updateAtPagerDuty(
  deps: SendDeps,
  target: Extract<ChannelTarget, { kind: "pagerduty" }>,
  { action, firingId }: { action: "acknowledge" | "resolve"; firingId: string },
): Promise<Outcome> {
  return post(deps, target, {
    url: deps.pagerDutyUrl(target.region),
    headers: JSON_HEADERS,
    body: toPagerDutyUpdate(action, { firingId, routingKey: target.routing_key }),
  });
}

async function post(
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
  const said = isRedirect ? "a redirect, which is not followed" : hideTarget(text, target);
  const reason = `Answered ${status}${said === "" ? "" : `: ${said}`}`;
  return {
    kind: "failed",
    status,
    reason: reason.slice(0, MAX_REASON),
    retryAfterSeconds: retryAfter === null ? null : readRetryAfter(retryAfter, nowMs),
    isGone: status === GONE,
  };
}

/** What a receiver says is shown to people: in one line, and without the address that it may repeat. */
function hideTarget(text: string, target: ChannelTarget): string {
  const secrets = target.kind === "pagerduty" ? [target.routing_key] : secretsOf(target.url);
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, "…"), toOneLine(text));
}

/** A part of an address that is shorter is no secret, and would hide words that happen to be the same. */
const MIN_SECRET_PART = 8;

/** What of an address may let somebody in, the longest first: all of it, and each part of its path and query. */
function secretsOf(address: string): string[] {
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

/** Seconds, or a date of HTTP. Null where it is neither. */
function readRetryAfter(text: string, nowMs: number): number | null {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - nowMs) / 1_000));
}

import type { AlertMessage } from "#src/alerts/firing/alert-message.ts";
import { toOneLine } from "#src/mail/layout.ts";

const MAX_SUMMARY = 1_024;

/** An event of the Events API v2. Each firing is one incident, because its id is the deduplication key. */
export function toPagerDutyEvent(message: AlertMessage, routingKey: string): string {
  return JSON.stringify({
    routing_key: routingKey,
    event_action: "trigger",
    dedup_key: message.firingId ?? message.id,
    client: "Bursar",
    client_url: message.url,
    links: [{ href: message.url, text: "Open in Bursar" }],
    payload: {
      summary: toOneLine(message.title).slice(0, MAX_SUMMARY),
      source: message.source,
      severity: message.severity,
      timestamp: message.at.toISOString(),
      class: message.name,
      custom_details: {
        ...Object.fromEntries(message.facts.map(({ label, value }) => [label, value])),
        ...(message.list !== null && { [message.list.label]: message.list.items }),
        Next: message.next,
      },
    },
  });
}

/** An event without payload that updates an incident. Without an open incident, PagerDuty ignores the event. */
export function toPagerDutyUpdate(
  action: "acknowledge" | "resolve",
  { firingId, routingKey }: { firingId: string; routingKey: string },
): string {
  return JSON.stringify({ routing_key: routingKey, event_action: action, dedup_key: firingId });
}

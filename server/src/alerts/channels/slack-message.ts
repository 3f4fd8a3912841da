import type { AlertMessage } from "#src/alerts/firing/alert-message.ts";
import { toOneLine } from "#src/mail/layout.ts";

// Limits of Slack's blocks: characters, and the number of fields.
const MAX_HEADER = 150;
const MAX_FIELDS = 10;
const MAX_FIELD = 2_000;
const MAX_TEXT = 3_000;

/** The body of an incoming webhook: blocks, and the text that notifications show. */
export function toSlackMessage(message: AlertMessage): string {
  const fields = message.facts.slice(0, MAX_FIELDS).map(({ label, value }) => ({
    type: "mrkdwn",
    text: truncate(`*${escapeText(label)}*\n${escapeText(value)}`, MAX_FIELD),
  }));
  return JSON.stringify({
    text: truncate(escapeText(message.title), MAX_TEXT),
    unfurl_links: false,
    blocks: [
      {
        type: "header",
        text: {
          type: "plain_text",
          text: truncate(toOneLine(message.title), MAX_HEADER),
          emoji: false,
        },
      },
      {
        type: "section",
        text: { type: "mrkdwn", text: truncate(escapeText(message.next), MAX_TEXT) },
      },
      ...(fields.length > 0 ? [{ type: "section", fields }] : []),
      ...(message.list === null ? [] : [toSection(message.list)]),
      {
        type: "actions",
        elements: [
          {
            type: "button",
            text: { type: "plain_text", text: "Open in Bursar" },
            url: message.url,
          },
        ],
      },
      {
        type: "context",
        elements: [
          {
            type: "mrkdwn",
            text: truncate(`${escapeText(message.source)} · ${escapeText(message.name)}`, MAX_TEXT),
          },
        ],
      },
    ],
  });
}

function toSection({ label, items }: NonNullable<AlertMessage["list"]>) {
  const lines = [`*${escapeText(label)}*`, ...items.map((item) => `• ${escapeText(item)}`)];
  return { type: "section", text: { type: "mrkdwn", text: truncate(lines.join("\n"), MAX_TEXT) } };
}

/** Users choose names. The escape prevents mentions and links in them. */
function escapeText(text: string): string {
  return toOneLine(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function truncate(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

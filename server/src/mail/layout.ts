// Layout of a message: one column and one button, as text and HTML from the same parts. All content may come from
// users, so it is reduced to one line and escaped here, and only here.

export interface Message {
  title: string;
  paragraphs: readonly string[];
  /** The main action. In the text its URL is on a separate line. */
  action?: { label: string; url: string };
  /** Small print at the end. */
  notes: readonly string[];
}

export interface MessageBody {
  text: string;
  html: string;
}

export function layoutMessage(message: Message): MessageBody {
  return { text: toText(message), html: toHtml(message) };
}

function toText({ title, paragraphs, action, notes }: Message): string {
  const blocks = [title, ...paragraphs].map(toOneLine);
  if (action) blocks.push(`${toOneLine(action.label)}:\n${toOneLine(action.url)}`);
  if (notes.length > 0) blocks.push(["-- ", ...notes.map(toOneLine)].join("\n"));
  return `${blocks.join("\n\n")}\n`;
}

const FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

function toHtml({ title, paragraphs, action, notes }: Message): string {
  const button =
    action &&
    `<p style="margin:28px 0"><a href="${escapeHtml(action.url)}" style="background:#1d4a45;color:#ffffff;` +
      `text-decoration:none;padding:12px 20px;border-radius:6px;display:inline-block">${escapeHtml(action.label)}</a></p>` +
      `<p style="font-size:13px;color:#666666;word-break:break-all">${escapeHtml(action.url)}</p>`;
  return [
    "<!doctype html>",
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">`,
    `<title>${escapeHtml(title)}</title></head>`,
    `<body style="margin:0;padding:24px;background:#f7f5f0;color:#1c1b19;${FONT};font-size:16px;line-height:1.5">`,
    `<div style="max-width:560px;margin:0 auto;background:#ffffff;border:1px solid #e4e0d8;border-radius:8px;padding:32px">`,
    `<h1 style="font-size:20px;line-height:1.3;margin:0 0 16px">${escapeHtml(title)}</h1>`,
    ...paragraphs.map((paragraph) => `<p style="margin:0 0 12px">${escapeHtml(paragraph)}</p>`),
    ...(button ? [button] : []),
    ...notes.map(
      (note) => `<p style="margin:12px 0 0;font-size:13px;color:#666666">${escapeHtml(note)}</p>`,
    ),
    "</div></body></html>",
    "",
  ].join("\n");
}

/** Removes characters that could start a new line or header, or hide text. */
export function toOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return toOneLine(text).replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

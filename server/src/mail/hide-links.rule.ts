// Links that grant access belong to the recipient of a message. Other readers get the message without them.

/** Kinds of messages whose links only open a page. All other kinds have links that grant access. */
const kindsWithPlainLinks: readonly string[] = ["notice"];

/** Replaces each link of a message. */
export const HIDDEN_LINK =
  "[Hidden link: only the recipient can see it, and the operator on the server's machine]";

interface MessageText {
  text: string;
  html: string;
}

const LINK = /https?:\/\/[^\s"'<>]+/g;

/** True if the links of a message grant access, such as an invite. Also true for an unknown kind. */
export function hasAccessLinks(kind: string): boolean {
  return !kindsWithPlainLinks.includes(kind);
}

/** Returns the message without any link. */
export function hideLinks({ text, html }: MessageText): MessageText {
  return {
    text: text.replace(LINK, HIDDEN_LINK),
    html: html.replace(/ href="[^"]*"/g, "").replace(LINK, HIDDEN_LINK),
  };
}

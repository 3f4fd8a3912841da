import { parseMessage } from "#src/gateway/parse-message.ts";

/** The smallest body that names a model. */
export const smallest = { model: "claude-sonnet-5", messages: [{ role: "user", content: "hi" }] };

/** Parses a body. */
export function parse(body: object) {
  return parseMessage(Buffer.from(JSON.stringify(body)));
}

import { parseMessage } from "#src/gateway/parse-message.ts";

/** The smallest body that names a model. */
export const smallest = { model: "claude-sonnet-5", messages: [{ role: "user", content: "hi" }] };

/** Markers of a body without anything unusual. */
export const noMarkers = {
  hasCacheControl5m: false,
  hasCacheControl1h: false,
  hasServerTools: false,
  hasMcpServers: false,
  hasContainer: false,
  hasCompaction: false,
  hasOpaqueSource: false,
  hasUrlSource: false,
  hasFileIds: false,
  hasSkills: false,
  hasThread: false,
};

/** Parses a body. */
export function parse(body: object) {
  return parseMessage(Buffer.from(JSON.stringify(body)));
}

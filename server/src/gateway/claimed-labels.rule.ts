import { toRequestClass } from "@bursar/contract/usage-shape.ts";
import type { ClaimedLabels } from "#src/domain/request-record.ts";
import { copyText } from "#src/lib/copy-text.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";

// Labels that Claude Code sends about its requests. Any client can send them with any key, so they are claims: reports show
// them, and no limit, right or attribution follows from them.

/** A text of visible ASCII characters, such as a UUID. Other values are left out. */
const LABEL = /^[!-~]{1,64}$/;

/** Reads the labels of a request. Undefined without an agent session, after one look-up. */
export function readClaimedLabels(fields: HeaderFields): ClaimedLabels | undefined {
  const session = fields.find("x-claude-code-session-id");
  if (session === undefined || !LABEL.test(session)) return undefined;
  const claimed: ClaimedLabels = { agentSessionId: copyText(session) };
  const promptId = readLabel(fields, "x-claude-code-prompt-id");
  const agentId = readLabel(fields, "x-claude-code-agent-id");
  const parentAgentId = readLabel(fields, "x-claude-code-parent-agent-id");
  const requestClass = readLabel(fields, "x-claude-code-request-class");
  if (promptId !== undefined) claimed.promptId = promptId;
  if (agentId !== undefined) claimed.agentId = agentId;
  if (parentAgentId !== undefined) claimed.parentAgentId = parentAgentId;
  if (requestClass !== undefined) claimed.requestClass = toRequestClass(requestClass);
  return claimed;
}

function readLabel(fields: HeaderFields, name: Lowercase<string>): string | undefined {
  const value = fields.find(name);
  return value !== undefined && LABEL.test(value) ? copyText(value) : undefined;
}

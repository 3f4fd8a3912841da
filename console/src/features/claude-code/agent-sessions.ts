import type { Answer } from "../../api-client.ts";
import { type ItemOf, useApi } from "../../queries.ts";

export type AgentSession = ItemOf<"listAgentSessions">;
export type AgentSessionDetail = Answer<"getAgentSession">;

export type Agent = AgentSessionDetail["prompts"][number]["agents"][number];

/** Id and owner of a session. */
export interface SessionKey {
  id: string;
  member?: string | undefined;
  key?: string | undefined;
}

export const useAgentSession = ({ id, member, key }: SessionKey) =>
  useApi("getAgentSession", {
    params: { agent_session_id: id },
    query: { member_id: member, api_key_id: key },
  });

type Owner = Pick<
  AgentSession,
  "member_id" | "member_name" | "member_email" | "api_key_id" | "api_key_name"
>;

/** Member, or key without an owner. */
export function formatOwner(owner: Owner): string {
  const { member_name, member_email, member_id, api_key_name, api_key_id } = owner;
  return member_name ?? member_email ?? member_id ?? api_key_name ?? api_key_id ?? "";
}

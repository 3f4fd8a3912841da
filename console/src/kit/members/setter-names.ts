import { useMay } from "../../session.ts";
import { useMembers } from "./queries.ts";

interface Setter {
  type: string;
  id: string;
}

const kinds: Record<string, string> = {
  user: "a member",
  admin_key: "an admin key",
  api_key: "an API key",
  local_operator: "the operator",
};

/** Returns the name of a setter, to follow "by". Null: unknown. Names of members need access to their list. */
export function useSetterNames(): (setter: Setter | null) => string | null {
  const members = useMembers(true, useMay()("members:read"));
  const names = new Map(members.data?.items.map(({ id, name, email }) => [id, name || email]));
  return (setter) => setter && (names.get(setter.id) ?? kinds[setter.type] ?? null);
}

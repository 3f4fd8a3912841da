import { call } from "../../api-client.ts";
import type { ItemOf } from "../../queries.ts";

/** Author and time of the last change. Null: unknown. */
export async function findLastChange(
  subjectId: string,
): Promise<{ actor: string; at: string } | null> {
  const events = await call("listAuditEvents", { query: { subject_id: subjectId, limit: 1 } });
  const [newest] = events.data;
  return newest ? { actor: nameOfActor(newest), at: newest.created_at } : null;
}

/** Name of the actor at the time of the event. */
function nameOfActor({ actor }: Pick<ItemOf<"listAuditEvents">, "actor">): string {
  if (actor.type === "local_operator") return "Local operator";
  if (actor.type === "system") return "Bursar";
  const name = actor.name ?? actor.email ?? actor.id;
  return actor.type === "member" ? name : `The key “${name}”`;
}

import { call } from "../../api-client.ts";
import { nameOfActor } from "./actor.ts";

/** Who changed it last and when; null where nothing is known of that. */
export async function findLastChange(
  subjectId: string,
): Promise<{ actor: string; at: string } | null> {
  const events = await call("listAuditEvents", { query: { subject_id: subjectId, limit: 1 } });
  const [newest] = events.data;
  return newest ? { actor: nameOfActor(newest), at: newest.created_at } : null;
}

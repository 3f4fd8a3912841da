import type { AuditEvent } from "./queries.ts";

/** Who did it, in words, as the actor was called then. */
export function nameOfActor({ actor }: Pick<AuditEvent, "actor">): string {
  if (actor.type === "local_operator") return "The machine itself";
  if (actor.type === "system") return "Bursar";
  const name = actor.name ?? actor.email ?? actor.id;
  return actor.type === "member" ? name : `The key “${name}”`;
}

import type { auditEvent } from "@bursar/contract/admin/audit-log.ts";
import type { z } from "zod";
import type { CsvColumns } from "#src/lib/csv.ts";

type Event = z.input<typeof auditEvent>;

export const columns: CsvColumns<Event> = {
  id: (event) => event.id,
  seq: (event) => event.seq,
  created_at: (event) => event.created_at,
  event: (event) => event.event,
  actor_type: (event) => event.actor.type,
  actor_id: (event) => event.actor.id,
  actor_name: (event) => event.actor.name,
  actor_email: (event) => event.actor.email,
  subject_type: (event) => event.subject.type,
  subject_id: (event) => event.subject.id,
  workspace_id: (event) => event.workspace_id,
  request_id: (event) => event.request_id,
  ip_address: (event) => event.ip_address,
  user_agent: (event) => event.user_agent,
  before: (event) => event.before && JSON.stringify(event.before),
  after: (event) => event.after && JSON.stringify(event.after),
  hash: (event) => event.hash,
  previous_hash: (event) => event.previous_hash,
};

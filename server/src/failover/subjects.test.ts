import { type AuditSubjectType, auditSubjects } from "@bursar/contract/audit-subjects.ts";
import { expect, test } from "vitest";
import type { SubjectState } from "./subject-state.rule.ts";

// Each subject of changes either has a state in the memory of recent changes, or no restriction that a failover can lose.

const withState = {
  admin_key: true,
  api_key: true,
  group: true,
  invite: true,
  member: true,
  workspace: true,
} as const satisfies Record<SubjectState["type"], true>;

/** Reasons. The event of the failover lists all lost changes. */
const withoutState = {
  access_review: "Its decisions are changes of keys and members, with their own events.",
  alert: "It restricts no access.",
  alert_channel: "It restricts no access.",
  alert_delivery: "It restricts no access.",
  alert_firing: "It restricts no access.",
  backup: "It restricts no access.",
  contract_term: "It changes statements only. The event lists the change.",
  directory: "Access of people is the state of their member. The event lists the change.",
  exceeded_bound: "It restricts no access, and returns with the next stream beyond the bound.",
  group_limit_mode: "It bounds use and no access. The event lists the change.",
  increase_request: "A lost approval leaves the lower limit.",
  mail: "It restricts no access.",
  managed_settings: "They restrict clients only. The event lists the change.",
  model_price: "It restricts no access.",
  neutral_feature: "It bounds use and no access. The event lists the change.",
  node: "It restricts no access.",
  organization: "It restricts no access.",
  passkey:
    "The database stores the credential, which nodes do not keep. The event lists the change.",
  preferences: "It restricts no access.",
  rate_limit: "It bounds use and no access. The event lists the change.",
  request: "It restricts no access.",
  request_log_settings: "It restricts no access.",
  rotation_policy: "It ends keys later, with their own events.",
  route: "A refused call changes nothing.",
  scim_token: "Access of people is the state of their member. The event lists the change.",
  security_settings: "It restricts later changes only.",
  session: "The state of its member has the sessions.",
  spend_limit: "It bounds use and no access. The event lists the change.",
  statement: "It restricts no access.",
  statement_settings: "It restricts no access.",
  telemetry_receiver: "It restricts no access. The event lists the change.",
  unresolved_spend: "It restricts no access.",
  message_batch: "It restricts no access.",
  stored_object: "It restricts no access.",
  upstream: "It restricts no access.",
  upstream_order: "It restricts no access.",
} as const satisfies Record<Exclude<AuditSubjectType, SubjectState["type"]>, string>;

test("every subject of changes has a state, or a reason for none", () => {
  expect([...Object.keys(withState), ...Object.keys(withoutState)].sort()).toEqual(
    Object.keys(auditSubjects).sort(),
  );
});

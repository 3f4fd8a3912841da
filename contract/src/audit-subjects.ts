/**
 * Subject types of audit events, each with the keys that a change can affect. Nodes drop these keys from their caches
 * after the change. `workspace` and `member` affect all keys of the subject, `group` the keys of its members.
 */
export const auditSubjects = {
  access_review: "no_key",
  admin_key: "no_key",
  alert: "no_key",
  alert_channel: "no_key",
  alert_delivery: "no_key",
  alert_firing: "no_key",
  api_key: "api_key",
  backup: "no_key",
  contract_term: "no_key",
  directory: "no_key",
  exceeded_bound: "no_key",
  group: "group",
  group_limit_mode: "no_key",
  increase_request: "no_key",
  invite: "every_key",
  mail: "no_key",
  managed_settings: "no_key",
  member: "member",
  message_batch: "no_key",
  model_price: "no_key",
  neutral_feature: "no_key",
  node: "no_key",
  organization: "every_key",
  passkey: "every_key",
  preferences: "no_key",
  rate_limit: "no_key",
  request: "no_key",
  request_log_settings: "every_key",
  rotation_policy: "no_key",
  route: "every_key",
  scim_token: "no_key",
  security_settings: "no_key",
  session: "every_key",
  spend_limit: "no_key",
  statement: "no_key",
  statement_settings: "no_key",
  stored_object: "no_key",
  telemetry_receiver: "no_key",
  unresolved_spend: "every_key",
  upstream: "no_key",
  upstream_order: "no_key",
  workspace: "workspace",
} as const satisfies Record<string, AffectedKeys>;

export type AuditSubjectType = keyof typeof auditSubjects;

type AffectedKeys = "no_key" | "api_key" | "workspace" | "member" | "group" | "every_key";

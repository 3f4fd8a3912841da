import { z } from "zod";

/** Prefixes of ids on the wire. The rest of an id is 24 base62 characters, sortable by time. */
export const idPrefixes = {
  workspace: "wksp_",
  apiKey: "apikey_",
  adminKey: "adminkey_",
  spendLimit: "spl_",
  spendAdjustment: "adj_",
  upstream: "ups_",
  modelPrice: "price_",
  neutralFeature: "feature_",
  exceededBound: "bound_",
  auditEvent: "audit_",
  request: "req_",
  node: "node_",
  member: "user_",
  invite: "invite_",
  mail: "mail_",
  session: "session_",
  passkey: "passkey_",
  device: "device_",
  group: "group_",
  accessReview: "review_",
  accessReviewItem: "reviewitem_",
  evidenceKey: "evkey_",
  playgroundSession: "play_",
  laptop: "laptop_",
  accessTokenKey: "atkey_",
  deviceAuthorization: "devauth_",
  waitingSecret: "wsec_",
  alert: "alert_",
  alertFiring: "firing_",
  alertGroup: "agroup_",
  alertChannel: "channel_",
  alertDelivery: "msg_",
  increaseRequest: "slir_",
  rateLimit: "rlim_",
  directory: "dir_",
  scimToken: "scimtok_",
  tag: "tag_",
  managedSettings: "settings_",
  telemetryReceiver: "telrcv_",
  contractTerm: "term_",
} as const;

export type IdKind = keyof typeof idPrefixes;

/** Excludes control characters. All readers of the OpenAPI patterns support such a range. */
const visible = /^[ -~\u00a0-\uffff]+$/;

// The server only looks an id up. Any short printable text is accepted, so that malformed and unknown ids get the same
// 404.
const idText = z.string().min(1).max(100).regex(visible, "expected an id");

export const organizationId = z.uuid();
export const workspaceId = idText.meta({ description: "Workspace id, `wksp_…`." });
export const apiKeyId = idText.meta({ description: "API key id, `apikey_…`." });
export const adminKeyId = idText.meta({ description: "Admin key id, `adminkey_…`." });
export const upstreamId = idText.meta({ description: "Upstream id, `ups_…`." });
export const modelPriceId = idText.meta({ description: "Model price id, `price_…`." });
export const neutralFeatureId = idText.meta({
  description: "Id of a neutral feature, `feature_…`.",
});
export const exceededBoundId = idText.meta({
  description: "Id of an exceeded bound, `bound_…`.",
});
export const memberId = idText.meta({ description: "Member id, `user_…`." });
export const groupId = idText.meta({ description: "Group id, `group_…`." });
export const inviteId = idText.meta({ description: "Invite id, `invite_…`." });
export const waitingSecretId = idText.meta({ description: "Id of a waiting secret, `wsec_…`." });
export const requestId = idText.meta({ description: "Request id, `req_…`." });
export const mailId = idText.meta({ description: "Message id, `mail_…`." });
export const auditEventId = idText.meta({ description: "Audit event id, `audit_…`." });
export const spendLimitId = idText.meta({ description: "Spend limit id, `spl_…`." });
export const nodeId = idText.meta({
  description: "Node id: `node_…`, or the value of `BURSAR_NODE_ID`.",
});
export const unresolvedSpendId = idText.meta({ description: "Id of unresolved spend, `unr_…`." });
export const sessionId = idText.meta({ description: "Session id, `session_…`." });
export const passkeyId = idText.meta({ description: "Passkey id, `passkey_…`." });
export const accessReviewId = idText.meta({ description: "Access review id, `review_…`." });
export const accessReviewItemId = idText.meta({
  description: "Access review item id, `reviewitem_…`.",
});
export const evidenceKeyId = idText.meta({ description: "Evidence key id, `evkey_…`." });
export const playgroundSessionId = idText.meta({ description: "Playground session, `play_…`." });
export const laptopId = idText.meta({ description: "Laptop id, `laptop_…`." });
export const alertId = idText.meta({ description: "Alert id, `alert_…`." });
export const alertFiringId = idText.meta({ description: "Id of a firing, `firing_…`." });
export const alertGroupId = idText.meta({
  description: "Id of an alert group, `agroup_…`: its kind, scope type and scope.",
});
export const alertChannelId = idText.meta({ description: "Alert channel id, `channel_…`." });
export const alertDeliveryId = idText.meta({ description: "Id of a delivery, `msg_…`." });
export const increaseRequestId = idText.meta({
  description: "Id of an increase request, `slir_…`.",
});
export const directoryId = idText.meta({ description: "Directory id, `dir_…`." });
export const scimTokenId = idText.meta({ description: "Id of a SCIM token, `scimtok_…`." });
export const rateLimitId = idText.meta({ description: "Rate limit id, `rlim_…`." });
export const managedSettingsVersionId = idText.meta({
  description: "Id of a version of the managed settings, `settings_…`.",
});
export const telemetryReceiverId = idText.meta({
  description: "Telemetry receiver id, `telrcv_…`.",
});
export const contractTermId = idText.meta({ description: "Id of a contract term, `term_…`." });
export const messageBatchId = idText.meta({ description: "Id of a message batch." });
const MAX_OBJECT_ID_LENGTH = 128;
export const storedObjectId = z
  .string()
  .min(1)
  .max(MAX_OBJECT_ID_LENGTH)
  .regex(visible, "expected an id")
  .meta({ description: "Id of a stored object, such as `file_…`." });
export const tagId = idText.meta({ description: "Tag id, `tag_…`." });
/** Id from the server's list of groups. The refusal of another id lists them. */
export const modelGroupId = idText.meta({ description: "Group of models, such as `sonnet_5`." });
/** Model name, as clients send it in `model`. */
export const modelName = z
  .string()
  .min(1)
  .max(200)
  .regex(visible, "expected a model name")
  .meta({ description: "Name of a model, such as `claude-sonnet-5`." });

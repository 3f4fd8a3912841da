import {
  badRequest,
  conflict,
  type ErrorCause,
  forbidden,
  notFound,
  tooMany,
  unauthenticated,
  unavailable,
} from "./error-cause.ts";
import { limitErrors } from "./limit-errors.ts";
import { serverErrors } from "./server-errors.ts";

/**
 * All causes of refusals: `error.details.error_code`. Programs decide by the code, not by the message.
 * Statuses and types are those of the Claude API.
 */
export const errorCodes = {
  // The request itself is wrong.
  invalid_fields: {
    ...badRequest,
    meaning: "Fields of the body, the query or the path are invalid.",
  },
  invalid_body: { ...badRequest, meaning: "The request body is not a JSON object." },
  invalid_header: { ...badRequest, meaning: "A request header is invalid.", facts: ["header"] },
  invalid_path: { ...badRequest, meaning: "The path of the URL is invalid." },
  invalid_http: { ...badRequest, meaning: "The request is not valid HTTP/1.1." },
  invalid_cursor: {
    ...badRequest,
    meaning: "The cursor does not belong to this list with these parameters.",
  },
  conflicting_credentials: {
    ...badRequest,
    meaning: "The request has both a session cookie and a key.",
  },
  request_body_encoding_unsupported: {
    ...badRequest,
    meaning: "The request body is compressed.",
    isOfficial: true,
  },
  request_body_timeout: {
    ...badRequest,
    meaning: "The request body did not arrive in time.",
    isOfficial: true,
  },
  request_timeout: {
    status: 408,
    type: "invalid_request_error",
    meaning: "The request headers did not arrive in time.",
  },
  request_too_large: {
    status: 413,
    type: "request_too_large",
    meaning: "The request body is too large.",
  },
  headers_too_large: {
    status: 431,
    type: "invalid_request_error",
    meaning: "The request headers are larger than 16 KB.",
  },
  tag_file_invalid: {
    ...badRequest,
    meaning: "The file of tags has faults, and nothing was changed.",
    facts: ["file_errors", "file_error_count"],
  },
  thread_unsupported_request: {
    ...badRequest,
    meaning: "The request asks for a stored conversation, which this server does not keep.",
    facts: ["unsupported"],
    isOfficial: true,
  },
  provider_unsupported: {
    ...badRequest,
    meaning: "The cloud platform that serves the workspace lacks a feature of the request.",
    facts: ["provider", "feature"],
  },

  // Keys, sessions and sign-in.
  api_key_missing: { ...unauthenticated, meaning: "The request has no key." },
  api_key_invalid: { ...unauthenticated, meaning: "The server has no such key." },
  api_key_wrong_kind: {
    ...unauthenticated,
    meaning: "An admin key was sent where the API key of a workspace is needed.",
  },
  conflicting_api_keys: { ...unauthenticated, meaning: "The request has two different keys." },
  api_key_disabled: { ...unauthenticated, meaning: "The key is disabled." },
  api_key_unconfirmed: {
    ...unauthenticated,
    meaning: "A restored backup contained the key, and it waits for confirmation.",
  },
  api_key_unsigned: {
    ...unauthenticated,
    meaning: "The key was written to the database without this server.",
  },
  browser_access_not_stated: {
    ...unauthenticated,
    meaning: "A page sent the request without `anthropic-dangerous-direct-browser-access`.",
  },
  api_key_archived: { ...unauthenticated, meaning: "The key is archived." },
  api_key_revoked: { ...unauthenticated, meaning: "The admin key is revoked." },
  api_key_expired: { ...unauthenticated, meaning: "The key is expired." },
  api_key_rotated: {
    ...unauthenticated,
    meaning: "The key was rotated, and this secret of it has expired.",
  },
  api_key_owner_inactive: {
    ...unauthenticated,
    meaning: "The member who owns the key has lost access to its workspace.",
  },
  api_key_workspace_archived: {
    ...unauthenticated,
    meaning: "The workspace of the key is archived.",
  },
  forwarded_user_unknown: {
    ...forbidden,
    meaning: "The key of a gateway needs a known user in the request.",
  },
  forwarded_user_inactive: {
    ...forbidden,
    meaning: "The user whom a gateway names has lost access to the organization.",
  },
  playground_session_ended: {
    ...unauthenticated,
    meaning: "The session of the playground has ended.",
  },
  access_token_invalid: {
    ...unauthenticated,
    meaning: "The token is not a valid access token of this server.",
  },
  access_token_expired: { ...unauthenticated, meaning: "The access token is expired." },
  laptop_ended: { ...unauthenticated, meaning: "The sign-in of Claude Code has ended." },
  session_expired: { ...unauthenticated, meaning: "No member is signed in with this cookie." },
  console_header_missing: {
    ...unauthenticated,
    meaning: "The request has a session cookie without the header `x-bursar-console: 1`.",
  },
  credentials_incorrect: { ...unauthenticated, meaning: "The address or the password is wrong." },
  second_factor_incorrect: {
    ...unauthenticated,
    meaning: "The code is wrong, or was used before.",
  },
  passkey_unknown: { ...unauthenticated, meaning: "The passkey cannot sign in here." },
  directory_sign_in_failed: {
    ...unauthenticated,
    meaning: "The provider refused the sign-in, or its response is invalid.",
  },
  directory_sign_in_refused: { ...forbidden, meaning: "The directory does not admit the person." },
  directory_unavailable: {
    ...unavailable,
    meaning: "The provider of the directory is out of reach, or set up wrongly.",
  },
  company_sign_in_required: {
    ...forbidden,
    meaning: "Members of the organization sign in through its directory only.",
  },
  directory_logout_invalid: { ...badRequest, meaning: "The logout token is invalid, or was used." },
  last_sign_in_way: {
    ...conflict,
    meaning: "The member could no longer sign in without the link to the directory.",
  },
  sign_in_expired: { ...unauthenticated, meaning: "The sign-in took too long." },
  password_incorrect: { ...badRequest, meaning: "The current password is wrong." },
  link_invalid: { ...badRequest, meaning: "The link was used before, or is expired." },
  passkeys_unavailable: {
    ...badRequest,
    meaning: "Passkeys need a host name, and the console is open at an IP address.",
  },
  member_deactivated: { ...forbidden, meaning: "The member who signs in is deactivated." },
  too_many_attempts: { ...tooMany, meaning: "Too many attempts to sign in failed." },
  sign_in_overloaded: { ...unavailable, meaning: "Too many sign-ins are running." },

  // Permissions.
  permission_denied: { ...forbidden, meaning: "The caller lacks the permission for this call." },
  origin_not_allowed: {
    ...forbidden,
    meaning: "A page in a browser sent the request, and the key does not allow the page's origin.",
  },
  restricted_by_higher_rank: {
    ...forbidden,
    meaning: "A caller of a higher rank has set the value, so this caller cannot remove it.",
    facts: ["restriction"],
  },
  restricted_by_lower_rank: {
    ...conflict,
    meaning: "Another rank has set the value, which the request can name in `rank`.",
    facts: ["restriction"],
  },
  key_count_reached: {
    ...forbidden,
    meaning: "The member has the highest number of personal keys.",
  },
  key_without_secret: {
    ...badRequest,
    meaning: "The key carries the requests of laptops and has no secret to rotate.",
  },
  claude_code_key_stopped: {
    ...badRequest,
    meaning: "The Claude Code key of the member is disabled or expired, so no laptop can sign in.",
  },
  role_too_high: { ...forbidden, meaning: "The role is above the caller's own role." },
  limit_set_above: {
    ...forbidden,
    meaning: "A higher rank set the limit, so the caller can neither remove nor raise it.",
    facts: ["set_above"],
  },
  tag_set_above: {
    ...forbidden,
    meaning: "A higher rank set the tag or its limit, so the caller cannot change it.",
  },
  raise_needs_two_people: {
    ...forbidden,
    meaning: "The organization requires two people to raise or remove a spend limit.",
  },
  increase_needs_another_person: {
    ...forbidden,
    meaning: "The caller, or the person behind the caller's key, created the increase request.",
  },
  step_up_required: {
    ...forbidden,
    meaning: "The member must enter the password or use a passkey again.",
  },
  second_factor_required: {
    ...forbidden,
    meaning: "The organization requires a second factor, which the member must set up first.",
  },
  foreign_origin: {
    ...forbidden,
    meaning: "The request comes from a web page that is not the console of this server.",
  },
  address_not_allowed: {
    ...forbidden,
    meaning: "The key or the session cannot be used from this network address.",
  },
  model_not_allowed: {
    ...forbidden,
    meaning: "The key cannot use a model of the request.",
    facts: ["allowed_models"],
  },

  // The resource is absent, or its state forbids the change.
  resource_not_found: {
    ...notFound,
    meaning: "The resource does not exist, or the caller has no access to it.",
    facts: ["resource"],
  },
  thread_not_found: {
    ...notFound,
    meaning: "The workspace has no thread with this response.",
    isOfficial: true,
  },
  rbac_group_not_found: {
    ...notFound,
    meaning: "The group does not exist, in the official shape.",
    isOfficial: true,
  },
  rbac_role_not_found: {
    ...notFound,
    meaning: "The role does not exist, in the official shape.",
    isOfficial: true,
  },
  route_not_found: { ...notFound, meaning: "The server has no such method and path." },
  scim_token_ended: { ...badRequest, meaning: "The SCIM token is revoked or expired." },
  resource_archived: {
    ...badRequest,
    meaning: "The resource is archived and cannot be changed.",
    facts: ["resource"],
  },
  resource_expired: {
    ...badRequest,
    meaning: "The resource has expired and cannot be changed.",
    facts: ["resource"],
  },
  owner_inactive: {
    ...badRequest,
    meaning: "The key cannot be enabled, since the member who owns it has no access.",
  },
  default_workspace_protected: {
    ...badRequest,
    meaning: "The default workspace can be neither renamed nor archived.",
  },
  external_storage_not_available: {
    ...badRequest,
    meaning: "This server has no external storage.",
    isOfficial: true,
  },
  human_review_not_available: {
    ...badRequest,
    meaning: "This server has no human review.",
    isOfficial: true,
  },
  already_member: {
    ...badRequest,
    meaning: "The address belongs to a member of the organization.",
    isOfficial: true,
  },
  invite_already_exists: {
    ...badRequest,
    meaning: "The address has a pending invite.",
    isOfficial: true,
  },
  invite_not_pending: {
    ...badRequest,
    meaning: "The invite is accepted, revoked or expired.",
    facts: ["resource_status"],
  },
  member_removed: { ...badRequest, meaning: "The member was removed from the organization." },
  cannot_change_self: { ...badRequest, meaning: "Members cannot make this change to themselves." },
  cannot_remove_last_member: {
    ...badRequest,
    meaning: "The organization must keep an active owner.",
    isOfficial: true,
  },
  cannot_sign_out_self: {
    ...badRequest,
    meaning: "Members sign out themselves with their own account.",
    isOfficial: true,
  },
  cannot_sign_out_owner: {
    ...forbidden,
    meaning: "The member has a role above the caller's.",
    isOfficial: true,
  },
  role_inherited: {
    ...badRequest,
    meaning: "The role comes from the organization role or from a group.",
  },
  managed_by_directory: {
    ...badRequest,
    meaning: "A directory provides the group or the membership, and alone changes it.",
  },
  managed_by_environment: {
    ...badRequest,
    meaning: "A setting of the server decides about it, and the API cannot change it.",
  },
  webhook_required: { ...badRequest, meaning: "The alert channel is not a webhook." },
  limit_is_inherited: {
    ...badRequest,
    meaning: "The limit is the default cap of a group, so it cannot be removed by itself.",
    facts: ["inherited_from"],
  },
  increase_request_closed: {
    ...badRequest,
    meaning: "The increase request is no longer pending.",
    facts: ["resource_status"],
  },
  increase_not_applicable: {
    ...badRequest,
    meaning: "The limit was removed, or is as high as the request asks for.",
  },
  too_many_increase_requests: {
    ...tooMany,
    meaning: "The caller has reached the highest number of increase requests per day.",
  },

  // Conflicts with what exists.
  version_conflict: {
    ...conflict,
    meaning: "The resource is not at `if_version`.",
    facts: ["version"],
  },
  managed_settings_unsigned: {
    ...conflict,
    meaning: "The version of the managed settings was written without this server.",
  },
  name_taken: { ...conflict, meaning: "Another active resource has this name." },
  address_taken: { ...conflict, meaning: "A member has this e-mail address." },
  upstream_in_use: {
    ...conflict,
    meaning:
      "The upstream is in the order of a workspace, or the cost of its message batches is not recorded.",
    facts: ["workspace_ids", "workspace_count", "message_batch_count"],
  },
  too_many_upstreams: {
    ...conflict,
    meaning: "The organization has reached the highest number of upstreams.",
  },
  already_exists: { ...conflict, meaning: "The only such resource exists already." },
  idempotency_key_reused: {
    ...conflict,
    meaning: "The `idempotency-key` belongs to a request with another path or body.",
  },
  request_in_progress: {
    ...conflict,
    meaning: "The same request, by its `idempotency-key`, is still running.",
  },
  too_many_secrets: { ...conflict, meaning: "Too many secrets are still valid." },
  too_many_receivers: {
    ...conflict,
    meaning: "The organization has reached the highest number of telemetry receivers.",
  },
  too_many_passkeys: {
    ...conflict,
    meaning: "The member has reached the highest number of passkeys.",
  },
  two_factor_conflict: {
    ...conflict,
    meaning: "The authenticator app is already set up, or not set up yet.",
  },
  set_up_completed: { ...conflict, meaning: "The organization has an owner." },
  owner_cannot_sign_in: { ...conflict, meaning: "The owner is deactivated or cannot sign in." },
  member_cannot_sign_in: { ...conflict, meaning: "The member is deactivated or has no sign-in." },
  new_owner_inactive: {
    ...conflict,
    meaning: "The member who would take over is deactivated or removed.",
  },
  new_owner_lacks_right: {
    ...conflict,
    meaning: "The member who would take over lacks a right that a thing needs.",
    facts: ["resource"],
  },
  new_owner_is_reviewed: {
    ...conflict,
    meaning: "The member who would take over an access review would decide about their own access.",
    facts: ["resource"],
  },
  invite_superseded: { ...conflict, meaning: "A newer invite has replaced this one." },
  delivery_not_repeatable: {
    ...conflict,
    meaning: "The alert channel cannot receive this message again.",
  },
  access_review_closed: {
    ...conflict,
    meaning: "The access review is completed or cancelled.",
    facts: ["resource_status"],
  },
  access_review_superseded: { ...conflict, meaning: "A newer review of the series has started." },
  batch_not_metered: {
    ...conflict,
    meaning: "The results of the message batch are not recorded yet, so it cannot be deleted.",
  },
  batch_not_running: {
    ...conflict,
    meaning:
      "The message batch is not running at its upstream, so it cannot be canceled or abandoned.",
  },
  batch_in_progress: {
    ...conflict,
    meaning: "The message batch was sent, and the upstream has not answered yet.",
  },
  batch_readable: {
    ...conflict,
    meaning: "The upstream still answers for the message batch, so it cannot be abandoned.",
  },
  node_in_contact: {
    ...conflict,
    meaning: "The node is in contact, so it may still spend its budget.",
  },

  ...limitErrors,

  ...serverErrors,
} as const satisfies Record<string, ErrorCause>;

export type ErrorCode = keyof typeof errorCodes;

/** Form of a refusal by a spend limit for Claude Code, which retries a 400. */
export const claudeCodeForm = { status: 429, type: "billing_error" } as const;

export type ErrorType = (typeof errorCodes)[ErrorCode]["type"] | (typeof claudeCodeForm)["type"];

import { type ErrorCode, errorCodes } from "@bursar/contract/errors.ts";
import { expect, test } from "vitest";
import { exitCodes, findExitCode } from "./command-error.ts";

const codesOfStatus = (...statuses: number[]) =>
  (Object.keys(errorCodes) as ErrorCode[]).filter((code) =>
    statuses.includes(errorCodes[code].status),
  );

/** Exit codes of the codes with this status, by exit code. */
function groupByExitCode(...statuses: number[]) {
  return Object.groupBy(codesOfStatus(...statuses), (code) =>
    findExitCode(errorCodes[code].status, code),
  );
}

test("a 401 or 403 exits with 3, a 404 with 4, a 409 with 5 and a 429 with 6", () => {
  expect(Object.keys(groupByExitCode(401, 403))).toEqual(["3"]);
  expect(Object.keys(groupByExitCode(404))).toEqual(["4"]);
  expect(Object.keys(groupByExitCode(409))).toEqual(["5"]);
  expect(Object.keys(groupByExitCode(429))).toEqual(["6"]);
});

test("a server that cannot serve now exits with 7, a fault with 1", () => {
  expect(Object.keys(groupByExitCode(408, 502, 503, 504, 529))).toEqual(["7"]);
  expect(groupByExitCode(500)).toEqual({ 1: ["internal_error"] });
});

test("a 400 exits by its code: limit, secret, state of the resource, else input", () => {
  expect(groupByExitCode(400, 413, 431)).toEqual({
    [exitCodes.limit]: [
      "spend_limit_reached",
      "request_too_large_for_limit",
      "request_cost_unbounded",
      "unknown_features_refused",
      "stream_cut_limit_spent",
    ],
    [exitCodes.authentication]: ["password_incorrect", "link_invalid"],
    [exitCodes.conflict]: [
      "scim_token_ended",
      "resource_archived",
      "resource_expired",
      "owner_inactive",
      "default_workspace_protected",
      "already_member",
      "invite_already_exists",
      "invite_not_pending",
      "member_removed",
      "cannot_change_self",
      "cannot_remove_last_member",
      "cannot_sign_out_self",
      "role_inherited",
      "managed_by_directory",
      "managed_by_environment",
      "limit_is_inherited",
      "increase_request_closed",
      "increase_not_applicable",
    ],
    [exitCodes.usage]: [
      "invalid_fields",
      "invalid_body",
      "invalid_header",
      "invalid_path",
      "invalid_http",
      "invalid_cursor",
      "conflicting_credentials",
      "request_body_encoding_unsupported",
      "request_body_timeout",
      "request_too_large",
      "headers_too_large",
      "tag_file_invalid",
      "thread_unsupported_request",
      "provider_unsupported",
      "directory_logout_invalid",
      "passkeys_unavailable",
      "key_without_secret",
      "claude_code_key_stopped",
      "external_storage_not_available",
      "human_review_not_available",
      "webhook_required",
    ],
  });
});

test("an unknown code exits by its status, and an unknown status with 1", () => {
  expect(findExitCode(404, "code_of_a_newer_server")).toBe(4);
  expect(findExitCode(409, undefined)).toBe(5);
  expect(findExitCode(418, "toString")).toBe(1);
});

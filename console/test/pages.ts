import type { Company } from "./company.ts";

/** Every page of a signed-in owner: name and address in this company. */
export function listPages({
  engineeringId,
  apiKeyId,
  reviewId,
  firingId,
  increaseRequestId,
}: Company): [name: string, path: string][] {
  return [
    ["overview", "/"],
    ["usage", "/usage?range=30d"],
    ["cost", "/cost?range=30d&by=model"],
    ["requests", "/requests?range=30d"],
    ["api-keys", "/api-keys"],
    ["api-keys-issue", "/api-keys?issue=never_expires"],
    ["api-key", `/api-keys/${apiKeyId}`],
    ["spend-limits", "/spend-limits"],
    ["rate-limits", "/rate-limits"],
    ["increase-requests", "/increase-requests"],
    ["increase-request", `/increase-requests/${increaseRequestId}`],
    ["new-increase-request", `/increase-requests/new?scope=workspace&id=${engineeringId}`],
    ["alerts", "/alerts?show=all"],
    ["alert-rules", "/alerts/rules"],
    ["alert-channels", "/alerts/channels"],
    ["alert-firing", `/alerts/firings/${firingId}`],
    ["workspaces", "/workspaces"],
    ["workspace-keys", `/workspaces/${engineeringId}`],
    ["workspace-limits", `/workspaces/${engineeringId}/limits`],
    ["workspace-usage", `/workspaces/${engineeringId}/usage`],
    ["workspace-members", `/workspaces/${engineeringId}/members`],
    ["workspace-settings", `/workspaces/${engineeringId}/settings`],
    ["members", "/members"],
    ["invites", "/invites"],
    ["roles", "/members/roles"],
    ["access", "/access"],
    ["access-reviews", "/access-reviews"],
    ["access-review", `/access-reviews/${reviewId}`],
    ["access-review-decide", `/access-reviews/${reviewId}/decide`],
    ["account", "/account"],
    ["admin-keys", "/admin-keys"],
    ["model-prices", "/model-prices"],
    ["upstreams", "/upstreams"],
    ["audit-log", "/audit-log"],
    ["audit-log-filtered", "/audit-log?event=api_key."],
    ["security-settings", "/security-settings"],
    ["mail", "/mail"],
    ["system", "/system"],
    ["settings", "/settings"],
    ["playground", "/playground"],
    ["spend-limits-of-key", `/spend-limits?key=${apiKeyId}`],
    ["rate-limits-of-key", `/rate-limits?key=${apiKeyId}`],
    ["nowhere", "/workspaces/wksp_nothing"],
  ];
}

/** Every page without a session. */
export const publicPages: readonly (readonly [name: string, path: string])[] = [
  ["sign-in", "/login"],
  ["reset", "/reset"],
  ["reset-link", "/reset#token=no-such-token"],
  ["invite", "/invite#token=no-such-token"],
];

import type { Company } from "./company.ts";

/** Every page of a signed-in owner: a name, and its address in this company. */
export function pagesOf({
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
    ["logs", "/logs?range=30d"],
    ["keys", "/keys"],
    ["keys-issue", "/keys?issue=never_expires"],
    ["key", `/keys/${apiKeyId}`],
    ["limits", "/limits"],
    ["rate-limits", "/limits/rates"],
    ["increase-requests", "/limits/requests"],
    ["increase-request", `/limits/requests/${increaseRequestId}`],
    ["ask-for-more", `/limits/request?scope=workspace&id=${engineeringId}`],
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
    ["team", "/team"],
    ["invites", "/team/invites"],
    ["roles", "/team/roles"],
    ["access", "/team/access"],
    ["reviews", "/reviews"],
    ["review", `/reviews/${reviewId}`],
    ["review-decide", `/reviews/${reviewId}/decide`],
    ["account", "/account"],
    ["admin-keys", "/admin-keys"],
    ["models", "/models"],
    ["upstream", "/upstream"],
    ["audit", "/audit"],
    ["audit-filtered", "/audit?event=api_key."],
    ["security", "/security"],
    ["mail", "/mail"],
    ["system", "/system"],
    ["settings", "/settings"],
    ["playground", "/playground"],
    ["key-limits", `/limits?key=${apiKeyId}`],
    ["key-rates", `/limits/rates?key=${apiKeyId}`],
    ["nowhere", "/workspaces/wksp_nothing"],
  ];
}

/** Every page of who is not signed in. */
export const strangersPages: readonly (readonly [name: string, path: string])[] = [
  ["sign-in", "/login"],
  ["reset", "/reset"],
  ["reset-link", "/reset#token=no-such-token"],
  ["invite", "/invite#token=no-such-token"],
];

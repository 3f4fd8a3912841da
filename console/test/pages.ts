import type { Company } from "./company.ts";

/** Every page of a signed-in owner: a name, and its address in this company. */
export function pagesOf({ engineeringId, apiKeyId }: Company): [name: string, path: string][] {
  return [
    ["overview", "/"],
    ["usage", "/usage?range=30d"],
    ["cost", "/cost?range=30d&by=model"],
    ["keys", "/keys"],
    ["key", `/keys/${apiKeyId}`],
    ["limits", "/limits"],
    ["workspaces", "/workspaces"],
    ["workspace-keys", `/workspaces/${engineeringId}`],
    ["workspace-limits", `/workspaces/${engineeringId}/limits`],
    ["workspace-usage", `/workspaces/${engineeringId}/usage`],
    ["workspace-members", `/workspaces/${engineeringId}/members`],
    ["workspace-settings", `/workspaces/${engineeringId}/settings`],
    ["team", "/team"],
    ["invites", "/team/invites"],
    ["roles", "/team/roles"],
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
    ["nowhere", "/workspaces/wksp_nothing"],
  ];
}

import type { ServerProcess } from "../../server/test/harness/server-process.ts";

/** Creates two telemetry receivers, one of them off. No laptop of the company sends telemetry. */
export async function addTelemetryReceivers(server: ServerProcess): Promise<void> {
  const create = (fields: object) =>
    server.mustOperator("POST", "/v1/admin/telemetry_receivers", fields);
  const headers = { authorization: "Bearer sample" };
  await create({ name: "Grafana", url: "https://otel.example.com:4318", headers });
  const costs = { name: "Cost team", url: "https://costs.example.com/otlp", is_enabled: false };
  await create({ ...costs, signals: ["metrics"] });
}

/** Saves two policies, one for a group and one for everyone. */
export async function addManagedSettings(server: ServerProcess, groupId: string): Promise<void> {
  const everyone = {
    cleanupPeriodDays: 30,
    permissions: {
      deny: ["Read(./.env)", "Read(./secrets/**)"],
      disableBypassPermissionsMode: "disable",
    },
    env: { CLAUDE_CODE_GATEWAY_HINT_HEADERS: "1" },
  };
  const platform = { model: "sonnet", permissions: { allow: ["Bash(npm run *)"], deny: [] } };
  const policies = [
    { name: "Platform team", group_ids: [groupId], settings: platform },
    { name: "Everyone", group_ids: [], settings: everyone },
  ];
  const save = (saved: object[], comment: string) =>
    server.mustAdmin("POST", "/v1/admin/managed_settings", { policies: saved, comment });
  await save(policies.slice(1), "Rules for secrets");
  await save(policies, "Model of the platform team");
}

import type { Client } from "./admin.ts";

/** Shows the newest secret that waits for the member. Returns it. */
export async function revealSecret(owner: Client): Promise<string> {
  const url = "/v1/admin/waiting_secrets";
  const { body } = await owner.get<{ data: { id: string }[] }>(url);
  const shown = await owner.post<{ key: string }>(`${url}/${body.data[0]?.id}/reveal`);
  if (shown.status !== 200) throw new Error(`no secret waits: ${shown.text}`);
  return shown.body.key;
}

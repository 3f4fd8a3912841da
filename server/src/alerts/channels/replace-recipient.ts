import type { Tx } from "#src/db/pool.ts";
import { findChannel, updateChannel } from "./alert-channels.sql.ts";

/** Replaces an address of an e-mail channel. Returns false if the channel is gone or has no such address. */
export async function replaceRecipient(
  tx: Tx,
  deps: { nowMs: () => number },
  of: { organizationId: string; id: string; fromEmail: string; toEmail: string },
): Promise<boolean> {
  const { organizationId, id, fromEmail, toEmail } = of;
  const channel = await findChannel(tx, { organizationId, id }, "for update");
  if (!channel?.recipients?.addresses.includes(fromEmail)) return false;
  const { roles, addresses } = channel.recipients;
  const replaced = addresses.map((address) => (address === fromEmail ? toEmail : address));
  await updateChannel(tx, organizationId, {
    ...channel,
    recipients: { roles, addresses: [...new Set(replaced)] },
    version: channel.version + 1,
    updated_at: new Date(deps.nowMs()),
  });
  return true;
}

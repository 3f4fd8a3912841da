import { Badge, type Tone } from "../../ui/badge.tsx";
import type { Delivery, Firing } from "./queries.ts";

export const deliveryTones: Record<Delivery["status"], Tone> = {
  queued: "accent",
  sent: "good",
  failed: "bad",
  dropped: "plain",
};

/** Status of the deliveries of a firing. */
export function DeliveryStates({ firing }: { firing: Firing }) {
  if (firing.is_muted) return <Badge>muted</Badge>;
  if (firing.covered_by_id !== null) return <Badge>higher threshold</Badge>;
  if (firing.deliveries.length === 0) return <span className="text-quiet">None</span>;
  const failed = firing.deliveries.filter(({ status }) => status === "failed");
  const waiting = firing.deliveries.filter(({ status }) => status === "queued");
  const [first] = firing.deliveries;
  const names = firing.deliveries.map(
    ({ channel_id, channel_name }) =>
      channel_name ?? (channel_id ? "a channel" : "the key’s owner"),
  );
  return (
    <span className="flex flex-wrap items-center gap-1.5" title={names.join(", ")}>
      <span className="max-w-44 truncate">
        {names.length === 1 ? names[0] : `${names.length} channels`}
      </span>
      {failed.length > 0 ? (
        <Badge tone="bad">{failed.length} failed</Badge>
      ) : waiting.length > 0 ? (
        <Badge tone="accent">queued</Badge>
      ) : (
        first && <Badge tone={deliveryTones[first.status]}>{first.status}</Badge>
      )}
    </span>
  );
}

import { Link } from "@tanstack/react-router";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { formatPlural } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { EmptyState, ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { deliveryTones } from "./delivery-states.tsx";
import { type Channel, type Delivery, useDeliveries, useRedeliver } from "./queries.ts";

/** Newest deliveries of a channel with their status. */
export function DeliveriesDrawer({ channel, onClose }: { channel: Channel; onClose: () => void }) {
  const deliveries = useDeliveries(channel.id);
  return (
    <Dialog title={`Deliveries of ${channel.name}`} isOpen isDrawer onClose={onClose}>
      {deliveries.error && (
        <ErrorState error={deliveries.error} onRetry={() => void deliveries.refetch()} />
      )}
      {deliveries.isPending && <SkeletonRows rows={4} />}
      {deliveries.data?.data.length === 0 && (
        <EmptyState title="No message yet">
          Messages are listed for 90 days, with all failed attempts.
        </EmptyState>
      )}
      <ul className="divide-y divide-line">
        {deliveries.data?.data.map((delivery) => (
          <DeliveryRow key={delivery.id} delivery={delivery} />
        ))}
      </ul>
    </Dialog>
  );
}

function DeliveryRow({ delivery }: { delivery: Delivery }) {
  const redeliver = useRedeliver();
  const { id, title, status, attempts, last_error, last_status, alert_firing_id } = delivery;
  const isOver = status !== "queued";
  return (
    <li className="grid gap-1 py-3 text-sm">
      <p className="flex items-start justify-between gap-4">
        {alert_firing_id ? (
          <Link
            to="/alerts/firings/$firingId"
            params={{ firingId: alert_firing_id }}
            className="link font-medium"
          >
            {title}
          </Link>
        ) : (
          <span className="font-medium">{title}</span>
        )}
        <Badge tone={deliveryTones[status]}>{status}</Badge>
      </p>
      <p className="flex flex-wrap gap-x-3 text-quiet">
        <RelativeTime at={delivery.created_at} />
        <span>{formatPlural(attempts, "attempt")}</span>
        {last_status !== null && <span>HTTP {last_status}</span>}
        <code className="text-xs">{id}</code>
      </p>
      {last_error && status !== "sent" && <p className="break-words text-bad">{last_error}</p>}
      {isOver && alert_firing_id && (
        <p>
          <Button
            kind="quiet"
            isBusy={redeliver.isPending}
            aria-label={`Resend message: ${title}`}
            onClick={() =>
              redeliver.mutate(
                { params: { alert_delivery_id: id } },
                {
                  onSuccess: () => showToast("Message queued"),
                  onError: (error) => showToast(error.message),
                },
              )
            }
          >
            Resend message
          </Button>
        </p>
      )}
    </li>
  );
}

import { Consequences } from "../../kit/consequences/consequences.tsx";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { formatPlural } from "../../ui/format.ts";
import { type MessageBatch, useCancelBatch } from "./queries.ts";

interface CancelProps {
  batch: MessageBatch;
  onClose: () => void;
}

export function CancelBatchDialog({ batch, onClose }: CancelProps) {
  const cancel = useCancelBatch();
  const left = batch.request_count - batch.recorded_requests;
  return (
    <ConfirmDelayedChange
      change={cancel}
      input={{ params: { message_batch_id: batch.id } }}
      action="Cancel batch"
      urgentAction="Cancel now"
      subject={batch.id}
      name={`Batch ${batch.upstream_batch_id ?? batch.id}`}
      done="canceled"
      onClose={onClose}
    >
      <p>The upstream ends the batch soon. A canceled batch cannot continue.</p>
      <Consequences
        sentences={[
          `At most ${formatPlural(left, "request gets", "requests get")} no result.`,
          "Finished requests keep their results and their cost.",
        ]}
      />
    </ConfirmDelayedChange>
  );
}

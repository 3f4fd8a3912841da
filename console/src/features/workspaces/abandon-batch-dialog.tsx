import { useState } from "react";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { Field } from "../../ui/field.tsx";
import { formatPlural, formatUsd } from "../../ui/format.ts";
import { Checkbox, TextArea } from "../../ui/input.tsx";
import { type MessageBatch, useAbandonBatch } from "./queries.ts";

interface AbandonProps {
  batch: MessageBatch;
  onClose: () => void;
}

export function AbandonBatchDialog({ batch, onClose }: AbandonProps) {
  const abandon = useAbandonBatch();
  const [reason, setReason] = useState("");
  const [force, setForce] = useState(false);
  const left = batch.request_count - batch.recorded_requests;
  return (
    <ConfirmDelayedChange
      change={abandon}
      input={{ params: { message_batch_id: batch.id }, body: { reason: reason.trim(), force } }}
      action="Abandon batch"
      urgentAction="Abandon now"
      subject={batch.id}
      name={`Batch ${batch.upstream_batch_id ?? batch.id}`}
      done="abandoned"
      onClose={onClose}
      isDisabled={reason.trim() === ""}
    >
      <p>
        Abandon a batch whose upstream is gone for good. The upstream does not stop the batch, and
        this cannot be undone.
      </p>
      <Consequences
        sentences={[
          `Later results of ${formatPlural(left, "request", "requests")} are never recorded.`,
          `Up to ${formatUsd(batch.held_usd)} becomes unresolved, and counts as spent until someone releases or charges it.`,
          "The batch no longer prevents the deletion of its upstream.",
        ]}
      />
      <Field label="Reason" hint="Recorded in the audit log.">
        {(control) => (
          <TextArea
            {...control}
            rows={2}
            maxLength={500}
            value={reason}
            onChange={({ target }) => setReason(target.value)}
          />
        )}
      </Field>
      <Checkbox
        label="Do not ask the upstream"
        hint="Otherwise a batch is refused while its upstream answers for it."
        checked={force}
        onChange={({ target }) => setForce(target.checked)}
      />
    </ConfirmDelayedChange>
  );
}

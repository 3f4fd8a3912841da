import { useState } from "react";
import { addAdjustment, describeUncertainCost } from "../../kit/requests/words.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { formatUsd } from "../../ui/format.ts";
import { MoneyInput, TextArea } from "../../ui/input.tsx";
import { Facts } from "../../ui/page.tsx";
import { type RequestDetail, useSetRequestCost } from "./queries.ts";

interface DecidedCostProps {
  request: RequestDetail;
}

/** Decided cost of a request whose cost is estimated or unknown, and its change. */
export function DecidedCost({ request }: DecidedCostProps) {
  const may = useMay();
  const [isSetting, setIsSetting] = useState(false);
  const { adjustment_usd: adjustment, cost_usd } = request;
  const canSet = may("spend:resolve") && describeUncertainCost(request) !== null;
  if (adjustment === null && !canSet) return null;
  return (
    <section className="grid gap-3">
      <h3>Decided cost</h3>
      {adjustment === null ? (
        <p className="text-sm text-quiet">
          Compare the cost with the upstream’s own numbers. The upstream id is below.
        </p>
      ) : (
        <Facts
          items={[
            ["Recorded", formatExactUsd(cost_usd)],
            ["Adjustment", formatExactUsd(adjustment)],
            ["Cost", formatExactUsd(addAdjustment(request))],
          ]}
        />
      )}
      {canSet && (
        <div>
          <Button onClick={() => setIsSetting(true)}>Set cost…</Button>
        </div>
      )}
      {isSetting && <SetCostDialog request={request} onClose={() => setIsSetting(false)} />}
    </section>
  );
}

function SetCostDialog({ request, onClose }: DecidedCostProps & { onClose: () => void }) {
  const { id } = request;
  const changeForm = useChangeForm(useSetRequestCost(), {
    defaultValues: { cost_usd: addAdjustment(request), reason: "" },
    toInput: ({ cost_usd: cost, reason }) => ({
      params: { request_id: id },
      body: { cost_usd: cost.replaceAll(",", "").trim(), reason },
    }),
    toast: ({ cost_usd: cost }) => `Cost set to ${formatUsd(cost)}`,
    onSaved: onClose,
  });
  const { form } = changeForm;
  const { errors } = form.formState;
  return (
    <Dialog
      title="Set cost"
      description="The difference to the recorded cost becomes an adjustment. Unresolved spend of the request is released."
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Set cost">
        <Field
          label="Cost"
          hint="Whole cost of the request, as the upstream billed it."
          error={errors.cost_usd?.message}
        >
          {(control) => (
            <MoneyInput {...control} {...form.register("cost_usd", needed("Enter an amount."))} />
          )}
        </Field>
        <Field label="Reason" hint="Recorded in the audit log." error={errors.reason?.message}>
          {(control) => (
            <TextArea
              {...control}
              rows={2}
              {...form.register("reason", needed("Enter a reason."))}
            />
          )}
        </Field>
      </DialogForm>
    </Dialog>
  );
}

function formatExactUsd(text: string): string {
  return text.startsWith("-") ? `-$${text.slice(1)}` : `$${text}`;
}

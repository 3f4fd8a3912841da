import type { UseFormReturn } from "react-hook-form";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { neededDay } from "../../ui/form.ts";
import { formatIsoDay, formatTime, parseDay } from "../../ui/format.ts";
import { Input, Select } from "../../ui/input.tsx";
import { useUpdateAlert } from "./queries.ts";
import { MutedRule } from "./stop-consequences.tsx";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const durations = {
  hour: ["1 hour", HOUR_MS],
  day: ["1 day", DAY_MS],
  week: ["7 days", 7 * DAY_MS],
  month: ["30 days", 30 * DAY_MS],
} as const;

interface MuteValues {
  alertId: string;
  until: keyof typeof durations | "period" | "date";
  /** Day as the member wrote it. */
  day: string;
}

interface MuteDialogProps {
  /** Rules of which one is muted. */
  rules: readonly { id: string; name: string }[];
  /** End of the period of the firing, if it has one. */
  periodEndsAt?: string | null | undefined;
  onClose: () => void;
}

/** Mutes a rule for some time: it fires without notifications. */
export function MuteDialog({ rules, periodEndsAt = null, onClose }: MuteDialogProps) {
  const [first] = rules;
  const end = periodEndsAt !== null && Date.parse(periodEndsAt) > Date.now() ? periodEndsAt : null;
  const changeForm = useChangeForm(useUpdateAlert(), {
    defaultValues: { alertId: first?.id ?? "", until: "day", day: "" } as MuteValues,
    toInput: (values) => ({
      params: { alert_id: values.alertId },
      body: { muted_until: toInstant(values, end) },
    }),
    toast: (alert) => `Alert “${alert.name}” muted until ${formatTime(alert.muted_until ?? "")}`,
    fieldNames: { muted_until: "day" },
    onSaved: onClose,
  });
  const { form } = changeForm;
  const until = form.watch("until");
  return (
    <Dialog
      title="Mute alert"
      description={rules.length === 1 ? first?.name : "Several rules fire for this cause."}
      isOpen
      isForgetful
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Mute alert">
        {rules.length > 1 && (
          <Field label="Rule">
            {(control) => (
              <Select {...control} {...form.register("alertId")}>
                {rules.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        <Field
          label="Duration"
          hint="The rule still fires for all its scopes and is listed in the history. No messages are sent for alerts that fire in this time."
        >
          {(control) => (
            <Select {...control} {...form.register("until")}>
              {Object.entries(durations).map(([value, [label]]) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
              {end !== null && <option value="period">Until the period ends</option>}
              <option value="date">Until a day</option>
            </Select>
          )}
        </Field>
        {until === "period" && end !== null && (
          <p className="text-sm text-quiet">The period ends on {formatTime(end)}.</p>
        )}
        {until === "date" && <DayField form={form} />}
        <MutedRule ruleId={form.watch("alertId")} />
      </DialogForm>
    </Dialog>
  );
}

function DayField({ form }: { form: UseFormReturn<MuteValues> }) {
  const rule = neededDay("Enter a day.");
  return (
    <Field
      label="Day"
      hint="Messages are sent again from the start of this day, UTC."
      error={form.formState.errors.day?.message}
    >
      {(control) => (
        <Input
          {...control}
          placeholder={formatIsoDay(new Date(Date.now() + 7 * DAY_MS).toISOString().slice(0, 10))}
          {...form.register("day", {
            validate: (text) => {
              const isValid = rule.validate(text);
              if (isValid !== true) return isValid;
              return Date.parse(toStart(text)) > Date.now() || "Enter a later day.";
            },
          })}
        />
      )}
    </Field>
  );
}

function toStart(day: string): string {
  return `${parseDay(day) ?? ""}T00:00:00.000Z`;
}

function toInstant({ until, day }: MuteValues, periodEndsAt: string | null): string {
  if (until === "date") return toStart(day);
  if (until === "period" && periodEndsAt !== null) return periodEndsAt;
  const [, ms] = durations[until === "period" ? "day" : until];
  return new Date(Date.now() + ms).toISOString();
}

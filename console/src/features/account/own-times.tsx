import { useMemo } from "react";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useChange } from "../../queries.ts";
import { useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Combobox } from "../../ui/combobox.tsx";
import { Field } from "../../ui/field.tsx";
import { type DateFormat, formatTime } from "../../ui/format.ts";
import { Select } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { useNow } from "../../ui/use-now.ts";

const formats: readonly (readonly [DateFormat, string])[] = [
  ["day_month_year", "27 Nov 2026"],
  ["month_day_year", "Nov 27, 2026"],
  ["year_month_day", "2026-11-27"],
];

/** Form for the time zone and the date format of the console. */
export function OwnTimes() {
  const { preferences } = useSession();
  const change = useChange("updatePreferences", ["getSession", "getPreferences"]);
  const { form, submit, isBusy, error } = useChangeForm(change, {
    values: {
      time_zone: preferences.time_zone,
      date_format: preferences.date_format ?? "day_month_year",
    },
    toInput: (body) => ({ body }),
    toast: "Times changed",
  });
  const zones = useZones(preferences.time_zone);
  const nowMs = useNow();
  const { errors } = form.formState;
  return (
    <form noValidate className="grid max-w-sm gap-4" onSubmit={submit}>
      <Field
        label="Time zone"
        isOptional
        hint="Empty: the zone of this browser."
        error={errors.time_zone?.message}
      >
        {(control) => (
          <Combobox
            control={control}
            options={zones}
            value={form.watch("time_zone")}
            onChange={(zone) => form.setValue("time_zone", zone, { shouldDirty: true })}
            placeholder={getBrowserZone()}
          />
        )}
      </Field>
      <Field label="Date format" error={errors.date_format?.message}>
        {(control) => (
          <Select {...control} {...form.register("date_format")}>
            {formats.map(([value, example]) => (
              <option key={value} value={value}>
                {example}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <p className="text-sm text-quiet">Now: {formatTime(new Date(nowMs).toISOString())}</p>
      <FormError error={error} />
      <div>
        <Button type="submit" isBusy={isBusy} disabled={!form.formState.isDirty}>
          Change times
        </Button>
      </div>
    </form>
  );
}

/** Zones of the browser, with UTC and the member's own one, which the browser may not know. */
function useZones(own: string | null) {
  return useMemo(() => {
    const names = new Set(["UTC", ...Intl.supportedValuesOf("timeZone")]);
    if (own !== null) names.add(own);
    return [...names].map((name) => ({ value: name, label: name.replaceAll("_", " ") }));
  }, [own]);
}

function getBrowserZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

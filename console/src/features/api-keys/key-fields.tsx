import { useEffect } from "react";
import type { FieldError, UseFormRegisterReturn } from "react-hook-form";
import { useMay } from "../../session.ts";
import { expiryChoices } from "../../ui/expiry.ts";
import { Field } from "../../ui/field.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Select } from "../../ui/input.tsx";
import { LinesField } from "../../ui/lines-field.tsx";
import { useKeyRules } from "./queries.ts";

interface ExpiryProps {
  value: string;
  onChange: (choice: string) => void;
  error: string | undefined;
  /** First option, which keeps the current expiry. */
  kept?: { value: string; label: string };
}

/** Expiry of a key. Options beyond the organization's maximum lifetime are hidden. */
export function ExpiryField({ value, onChange, error, kept }: ExpiryProps) {
  const may = useMay();
  const rules = useKeyRules(may("security:read"));
  const maxDays = rules.data?.max_key_lifetime_days ?? null;
  const allowed = expiryChoices.filter(
    ([choice]) => maxDays === null || (choice !== "never" && Number(choice) <= maxDays),
  );
  const isListed = allowed.some(([choice]) => choice === String(maxDays));
  const longest =
    maxDays === null || isListed ? [] : [[String(maxDays), `In ${formatPlural(maxDays, "day")}`]];
  const choices = [...(kept ? [[kept.value, kept.label]] : []), ...allowed, ...longest];
  const isPossible = choices.some(([choice]) => choice === value);
  useEffect(() => {
    if (!isPossible && maxDays !== null) onChange(String(maxDays));
  }, [isPossible, maxDays, onChange]);
  return (
    <Field
      label="Expiry"
      error={error}
      hint={
        maxDays === null
          ? undefined
          : `Your company allows ${formatPlural(maxDays, "day")} at most.`
      }
    >
      {(control) => (
        <Select {...control} value={value} onChange={(event) => onChange(event.target.value)}>
          {choices.map(([choice, label]) => (
            <option key={choice} value={choice}>
              {label}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

interface RestrictionsProps {
  models: UseFormRegisterReturn;
  addresses: UseFormRegisterReturn;
  errors: {
    allowed_models?: FieldError | undefined;
    allowed_addresses?: FieldError | undefined;
  };
  isOpen?: boolean;
}

export function Restrictions({ models, addresses, errors, isOpen = false }: RestrictionsProps) {
  return (
    <details
      className="group"
      open={isOpen || Boolean(errors.allowed_models ?? errors.allowed_addresses) || undefined}
    >
      <summary className="target w-fit rounded-sm text-sm font-medium text-accent">
        Model and address restrictions
      </summary>
      <div className="mt-4 grid gap-5">
        <LinesField
          label="Models"
          hint="One per line. claude-haiku-* allows a family. Empty: all models."
          placeholder="claude-haiku-*"
          error={errors.allowed_models?.message}
          {...models}
        />
        <LinesField
          label="Addresses"
          hint="IP addresses or ranges, one per line. Empty: all addresses."
          placeholder="10.20.0.0/16"
          error={errors.allowed_addresses?.message}
          {...addresses}
        />
      </div>
    </details>
  );
}

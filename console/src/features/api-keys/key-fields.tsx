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
  origins: UseFormRegisterReturn;
  errors: {
    allowed_models?: FieldError | undefined;
    allowed_addresses?: FieldError | undefined;
    allowed_origins?: FieldError | undefined;
  };
  isOpen?: boolean;
}

export function Restrictions(props: RestrictionsProps) {
  const { models, addresses, origins, errors, isOpen = false } = props;
  const refused = errors.allowed_models ?? errors.allowed_addresses ?? errors.allowed_origins;
  return (
    <details className="group" open={isOpen || Boolean(refused) || undefined}>
      <summary className="target w-fit rounded-sm text-sm font-medium text-accent">
        Models, addresses and browser pages
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
        <LinesField
          label="Browser pages"
          hint="Origins whose pages can use the key, one per line. Each reader of a page can copy its key. Empty: none."
          placeholder="https://app.example.com"
          error={errors.allowed_origins?.message}
          {...origins}
        />
      </div>
    </details>
  );
}

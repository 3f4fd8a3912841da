import { X } from "lucide-react";
import type { ReactNode } from "react";
import { IconButton } from "../../ui/button.tsx";
import { Combobox, type Option } from "../../ui/combobox.tsx";
import { Field } from "../../ui/field.tsx";

interface PickManyProps {
  label: string;
  placeholder: string;
  hint?: ReactNode;
  error?: string | undefined;
  options: readonly Option[];
  values: readonly string[];
  onChange: (values: string[]) => void;
}

/** Search field for several choices, which are listed below. */
export function PickMany(props: PickManyProps) {
  const { label, placeholder, hint, error, options, values, onChange } = props;
  const byId = new Map(options.map((option) => [option.value, option]));
  return (
    <div className="grid gap-2">
      <input type="hidden" value={values.join(" ")} readOnly />
      <Field label={label} hint={hint} error={error}>
        {(control) => (
          <Combobox
            key={values.length}
            control={control}
            placeholder={placeholder}
            value={null}
            onChange={(id) => id && onChange([...values, id])}
            options={options.filter(({ value }) => !values.includes(value))}
          />
        )}
      </Field>
      {values.length > 0 && (
        <ul className="divide-y divide-line border-y border-line">
          {values.map((id) => {
            const option = byId.get(id);
            return (
              <li key={id} className="flex items-center gap-2.5 py-1 text-sm">
                {option?.mark}
                <span className="min-w-0 flex-1 truncate">{option?.label ?? id}</span>
                {option?.note && <span className="truncate text-quiet">{option.note}</span>}
                <IconButton
                  label={`Remove ${option?.label ?? id}`}
                  onClick={() => onChange(values.filter((each) => each !== id))}
                >
                  <X size={15} />
                </IconButton>
              </li>
            );
          })}
        </ul>
      )}
    </div>
  );
}

import { Plus, X } from "lucide-react";
import type { UseFormRegisterReturn } from "react-hook-form";
import { Button, IconButton } from "../ui/button.tsx";
import { Input } from "../ui/input.tsx";

interface HeaderRowsProps {
  rows: readonly { id: string }[];
  registerName: (index: number) => UseFormRegisterReturn;
  registerValue: (index: number) => UseFormRegisterReturn;
  onAdd: () => void;
  onRemove: (index: number) => void;
  /** Example of a name. */
  placeholder: string;
  error: string | undefined;
}

/** Fields of a form for secret headers, each with a name and a value. */
export function HeaderRows(props: HeaderRowsProps) {
  const { rows, registerName, registerValue, onAdd, onRemove, placeholder, error } = props;
  return (
    <>
      {rows.map(({ id }, index) => (
        <div key={id} className="grid grid-cols-[1fr_1fr_auto] items-center gap-2.5">
          <Input
            {...registerName(index)}
            aria-label={`Name of header ${index + 1}`}
            placeholder={placeholder}
            spellCheck={false}
          />
          <Input
            {...registerValue(index)}
            aria-label={`Value of header ${index + 1}`}
            type="password"
            autoComplete="off"
          />
          <IconButton label={`Remove header ${index + 1}`} onClick={() => onRemove(index)}>
            <X size={16} />
          </IconButton>
        </div>
      ))}
      {error !== undefined && <p className="text-sm font-medium text-bad">{error}</p>}
      <div>
        <Button onClick={onAdd}>
          <Plus size={16} /> Add header
        </Button>
      </div>
    </>
  );
}

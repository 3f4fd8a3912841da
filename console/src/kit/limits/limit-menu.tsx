import { Ellipsis } from "lucide-react";
import { IconButton } from "../../ui/button.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";

interface LimitMenuProps {
  /** "limit" */
  noun: string;
  /** Scope of the limit, in the button's label. */
  of: string;
  onEdit: () => void;
  /** Null: higher ranks have set all values. */
  onRemove: (() => void) | null;
  className?: string;
}

/** Actions of one limit in a list. */
export function LimitMenu({ noun, of, onEdit, onRemove, className }: LimitMenuProps) {
  return (
    <Menu
      trigger={
        <IconButton label={`Actions for the ${noun} of ${of}`} className={className}>
          <Ellipsis size={16} />
        </IconButton>
      }
    >
      <MenuItem onSelect={onEdit}>Change {noun}…</MenuItem>
      <MenuItem onSelect={() => onRemove?.()} isDanger isDisabled={onRemove === null}>
        Remove {noun}…
      </MenuItem>
    </Menu>
  );
}

import { Button } from "./button.tsx";
import { DialogActions } from "./dialog.tsx";
import { Checkbox } from "./input.tsx";

interface StoredActionsProps {
  /** Sentence of the member: "I stored it". */
  label: string;
  isStored: boolean;
  onStored: (isStored: boolean) => void;
  onDone: () => void;
}

/** Actions of a dialog with secrets. The button works after the member confirms that they are stored. */
export function StoredActions({ label, isStored, onStored, onDone }: StoredActionsProps) {
  return (
    <DialogActions>
      <Checkbox
        className="mr-auto self-center"
        label={label}
        checked={isStored}
        onChange={(event) => onStored(event.target.checked)}
      />
      <Button kind={isStored ? "primary" : "plain"} disabled={!isStored} onClick={onDone}>
        Done
      </Button>
    </DialogActions>
  );
}

import { useMay } from "../session.ts";
import { Dialog } from "../ui/dialog.tsx";
import { commandKey } from "./command-key.ts";
import { KeyCap } from "./key-cap.tsx";
import { places } from "./navigation.ts";

const general: readonly (readonly [keys: string[], what: string])[] = [
  [[commandKey(), "K"], "Search all pages"],
  [["/"], "Search this page"],
  [["c"], "Create an item"],
  [["↑", "↓"], "Move between the boxes of rows"],
  [["a"], "Go to the actions of selected rows"],
  [["Esc"], "Close the dialog"],
  [[commandKey(), "Z"], "Undo a change that waits"],
  [["←", "→"], "Move in a chart"],
  [["?"], "Show shortcuts"],
];

/** Lists the keyboard shortcuts of all pages. A page lists its own shortcuts itself. */
export function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const may = useMay();
  const going = places
    .flatMap(({ items }) => items)
    .filter(({ action }) => may(action))
    .flatMap(({ label, shortcut }) => (shortcut ? [[["g", shortcut], label] as const] : []));
  return (
    <Dialog title="Keyboard shortcuts" isOpen onClose={onClose}>
      <dl className="grid gap-x-10 sm:grid-cols-2">
        {[...general, ...going].map(([keys, what]) => (
          <div
            key={what}
            className="flex items-center justify-between border-b border-line py-1.5 text-sm"
          >
            <dt>{what}</dt>
            <dd className="flex gap-1">
              {keys.map((key) => (
                <KeyCap key={key}>{key}</KeyCap>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

import { Dialog } from "../ui/dialog.tsx";
import { places } from "./navigation.ts";

const general: readonly (readonly [keys: string[], what: string])[] = [
  [["⌘", "K"], "Search everything"],
  [["/"], "Search on this page"],
  [["c"], "Create what this page lists"],
  [["?"], "This list"],
];

export function ShortcutsDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const going = places
    .flatMap(({ items }) => items)
    .flatMap(({ label, shortcut }) => (shortcut ? [[["g", shortcut], label] as const] : []));
  return (
    <Dialog title="Keyboard shortcuts" isOpen={isOpen} onClose={onClose}>
      <dl className="grid gap-x-10 sm:grid-cols-2">
        {[...general, ...going].map(([keys, what]) => (
          <div
            key={what}
            className="flex items-center justify-between border-b border-line py-1.5 text-sm"
          >
            <dt>{what}</dt>
            <dd className="flex gap-1">
              {keys.map((key) => (
                <kbd
                  key={key}
                  className="min-w-6 rounded-sm border border-line bg-raised px-1.5 text-center text-xs leading-5"
                >
                  {key}
                </kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

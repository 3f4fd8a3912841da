import { useEffect, useState } from "react";
import { useMay } from "../session.ts";
import { KeyCap } from "./key-cap.tsx";
import { places } from "./navigation.ts";

/** Members who know the letter do not see the list. */
const SHOWN_AFTER_MS = 400;

/** Letters of all pages, while the shell waits for the one after `g`. Screen readers have the list of the key `?`. */
export function GoList() {
  const may = useMay();
  const [isShown, setIsShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsShown(true), SHOWN_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!isShown) return null;
  return (
    <div
      aria-hidden="true"
      className="fixed inset-x-4 bottom-4 z-50 mx-auto max-h-[70dvh] max-w-4xl overflow-y-auto rounded-lg border border-line bg-raised p-5 text-sm shadow-popup"
    >
      <div className="grid grid-cols-2 gap-x-8 gap-y-5 sm:grid-cols-3 lg:grid-cols-5">
        {places.map(({ title, items }) => (
          <div key={title} className="grid content-start gap-1">
            <p className="text-xs font-medium text-faint">{title}</p>
            {items
              .filter(({ action, shortcut }) => shortcut && may(action))
              .map(({ label, shortcut = "" }) => (
                <p key={label} className="flex items-center gap-2.5">
                  <KeyCap>{shortcut}</KeyCap> <span className="truncate">{label}</span>
                </p>
              ))}
          </div>
        ))}
      </div>
    </div>
  );
}

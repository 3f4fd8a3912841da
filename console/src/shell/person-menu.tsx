import { roleNames } from "@bursar/contract/permissions.ts";
import { ChevronsUpDown } from "lucide-react";
import { lazyPart } from "../load-part.ts";
import { useSession } from "../session.ts";
import { LateMenu } from "./late-menu.tsx";

const Late = lazyPart(() => import("./person-menu-items.tsx"), "PersonMenuItems");

/** The signed-in member, with a menu for the account, the API reference, the theme and sign-out. */
export function PersonMenu() {
  const { member } = useSession();
  return (
    <LateMenu
      Late={Late}
      trigger={
        <button
          type="button"
          className="flex min-h-11 w-full items-center gap-2.5 rounded-md px-2.5 py-1.5 text-left text-sm transition-colors hover:bg-line/60 data-popup-open:bg-line/60"
        >
          <span
            aria-hidden="true"
            className="grid size-7 shrink-0 place-items-center rounded-full bg-accent-wash text-xs font-semibold text-accent"
          >
            {initials(member.name)}
          </span>
          <span className="min-w-0 flex-1">
            <span className="block truncate font-medium">{member.name}</span>
            <span className="block truncate text-xs text-quiet">{roleNames[member.role]}</span>
          </span>
          <ChevronsUpDown size={14} className="text-faint" />
        </button>
      }
    />
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined];
  return letters
    .map((word) => Array.from(word ?? "")[0] ?? "")
    .join("")
    .toUpperCase();
}

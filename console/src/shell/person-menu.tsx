import { roleNames } from "@bursar/contract/permissions.ts";
import { useNavigate } from "@tanstack/react-router";
import { BookOpen, ChevronsUpDown, CircleUser, LogOut, Monitor, Moon, Sun } from "lucide-react";
import { useObservable } from "../observable.ts";
import { signOut, useSession } from "../session.ts";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "../ui/menu.tsx";
import { chooseTheme, type Theme, theme } from "../ui/theme.ts";

const themes: readonly (readonly [Theme, string, typeof Sun])[] = [
  ["system", "As the device", Monitor],
  ["light", "Light", Sun],
  ["dark", "Dark", Moon],
];

/** Who is signed in; theme, own account, reference, and the way out. */
export function PersonMenu() {
  const { member } = useSession();
  const chosen = useObservable(theme);
  const navigate = useNavigate();
  return (
    <Menu
      align="start"
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
    >
      <MenuLabel>{member.email}</MenuLabel>
      <MenuItem onSelect={() => void navigate({ to: "/account" })}>
        <CircleUser size={15} /> Your account
      </MenuItem>
      <MenuItem onSelect={() => window.open("/docs", "_blank", "noopener")}>
        <BookOpen size={15} /> API reference
      </MenuItem>
      <MenuSeparator />
      <MenuLabel>Theme</MenuLabel>
      {themes.map(([name, label, Icon]) => (
        <MenuItem key={name} onSelect={() => chooseTheme(name)}>
          <Icon size={15} /> {label}
          {chosen === name && <span className="ml-auto text-xs text-quiet">chosen</span>}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuItem onSelect={() => void signOut()}>
        <LogOut size={15} /> Sign out
      </MenuItem>
    </Menu>
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

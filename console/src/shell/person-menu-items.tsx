import { useNavigate } from "@tanstack/react-router";
import { BookOpen, CircleUser, LogOut, Monitor, Moon, Sun } from "lucide-react";
import { Suspense, useState } from "react";
import { delayedChanges } from "../kit/delayed-change/delay-change.ts";
import { lazyPart } from "../load-part.ts";
import { useObservable } from "../observable.ts";
import { signOut, useSession } from "../session.ts";
import { Menu, MenuItem, MenuLabel, MenuSeparator } from "../ui/menu.tsx";
import { chooseTheme, type Theme, theme } from "../ui/theme.ts";
import type { TriggerButton } from "./late-menu.tsx";

const SignOutDialog = lazyPart(
  () => import("../kit/delayed-change/sign-out-dialog.tsx"),
  "SignOutDialog",
);

const themes: readonly (readonly [Theme, string, typeof Sun])[] = [
  ["system", "System", Monitor],
  ["light", "Light", Sun],
  ["dark", "Dark", Moon],
];

export function PersonMenuItems({ trigger }: { trigger: TriggerButton }) {
  const { member } = useSession();
  const chosen = useObservable(theme);
  const navigate = useNavigate();
  const [isAsked, setIsAsked] = useState(false);
  const askOrSignOut = () => {
    if (delayedChanges.all.get().length > 0) setIsAsked(true);
    else void signOut();
  };
  return (
    <>
      <Menu align="start" isOpenAtFirst trigger={trigger}>
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
        <MenuItem onSelect={askOrSignOut}>
          <LogOut size={15} /> Sign out
        </MenuItem>
      </Menu>
      <Suspense fallback={null}>
        {isAsked && <SignOutDialog onClose={() => setIsAsked(false)} />}
      </Suspense>
    </>
  );
}

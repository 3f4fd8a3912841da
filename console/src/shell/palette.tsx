import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { KeyRound } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useList } from "../queries.ts";
import { useMay } from "../session.ts";
import { ColorDot } from "../ui/color-dot.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { places } from "./navigation.ts";

const item =
  "flex min-h-9 items-center gap-2.5 rounded-md px-2.5 text-sm data-[selected=true]:bg-sunk pointer-coarse:min-h-11";

/** Finds pages, workspaces and keys by their names, and goes there. */
export function Palette({ onClose }: { onClose: () => void }) {
  const may = useMay();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const workspaces = useList("listWorkspaces", {});
  const keys = useList("listApiKeys", {}, { isEnabled: may("api_keys:read") });
  const go = (to: string) => {
    onClose();
    void navigate({ to });
  };
  return (
    <Dialog title="Search" isOpen onClose={onClose}>
      <Command label="Search" className="-mx-2 -mt-1 grid gap-2">
        <Command.Input
          autoFocus
          value={text}
          onValueChange={setText}
          placeholder="A page, a workspace, a key…"
          className="min-h-10 rounded-md border border-edge bg-raised px-3 text-base"
        />
        <Command.List className="max-h-[min(24rem,50dvh)] overflow-y-auto">
          <Command.Empty className="px-2.5 py-6 text-center text-sm text-quiet">
            Nothing has that name.
          </Command.Empty>
          <Group heading="Pages">
            {places
              .flatMap(({ items }) => items)
              .filter((place) => may(place.action))
              .map(({ label, to, icon: Icon }) => (
                <Command.Item
                  key={label}
                  value={`page ${label}`}
                  onSelect={() => go(String(to))}
                  className={item}
                >
                  <Icon size={15} className="text-quiet" /> {label}
                </Command.Item>
              ))}
          </Group>
          <Group heading="Workspaces">
            {workspaces.data?.items.map(({ id, name, display_color }) => (
              <Command.Item
                key={id}
                value={`workspace ${name} ${id}`}
                onSelect={() => go(`/workspaces/${id}`)}
                className={item}
              >
                <ColorDot color={display_color} /> {name}
              </Command.Item>
            ))}
          </Group>
          {text !== "" && (
            <Group heading="API keys">
              {keys.data?.items.map(({ id, name, partial_key_hint }) => (
                <Command.Item
                  key={id}
                  value={`key ${name} ${id}`}
                  onSelect={() => go(`/keys/${id}`)}
                  className={item}
                >
                  <KeyRound size={15} className="text-quiet" />
                  <span className="truncate">{name}</span>
                  <code className="ml-auto text-faint">{partial_key_hint}</code>
                </Command.Item>
              ))}
            </Group>
          )}
        </Command.List>
      </Command>
    </Dialog>
  );
}

function Group({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <Command.Group
      heading={heading}
      className="pb-1 [&>[cmdk-group-heading]]:px-2.5 [&>[cmdk-group-heading]]:py-1 [&>[cmdk-group-heading]]:text-xs [&>[cmdk-group-heading]]:text-faint"
    >
      {children}
    </Command.Group>
  );
}

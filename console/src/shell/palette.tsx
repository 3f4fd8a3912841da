import { groups as guideGroups } from "virtual:guides";
import type { Action } from "@bursar/contract/permissions.ts";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { BookOpen, CircleUser, KeyRound, ListTree, type LucideIcon, Plug } from "lucide-react";
import { type ReactNode, useState } from "react";
import { clientPages, findClientAddress } from "../kit/code-samples/client-pages.ts";
import { findInGuides } from "../kit/guides/find-in-guides.ts";
import { useWorkspaces } from "../kit/workspaces/queries.ts";
import { useApi } from "../queries.ts";
import { useMay } from "../session.ts";
import { ColorDot } from "../ui/color-dot.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { findMatches } from "../ui/matches.ts";
import { useDebounced } from "../ui/use-debounced.ts";
import { places } from "./navigation.ts";

const MAX_SHOWN = 8;
/** Complete id of a request. The request log can open it directly. */
const REQUEST = /^req_\w{10,90}$/;
/** Pause after the last key before the search is sent. */
const PAUSE_MS = 150;

/** End of a key that narrow screens show. */
const END_CHARS = 4;
const guides = guideGroups.flatMap((group) => group.guides);

/** Search for pages, guides, workspaces, keys and members by name, e-mail address or id, and for requests by id. */
export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  return (
    <Dialog title="Search" isOpen isForgetful onClose={onClose}>
      <Command label="Search" shouldFilter={false} className="-mx-2 grid gap-2">
        <Command.Input
          autoFocus
          value={text}
          onValueChange={setText}
          placeholder="Search pages, guides, workspaces, keys, members…"
          className="min-h-10 rounded-md border border-edge bg-raised px-3 text-base"
        />
        <Command.List className="max-h-[min(24rem,50dvh)] overflow-y-auto">
          <Command.Empty className="px-2.5 py-6 text-center text-sm text-quiet">
            No match.
          </Command.Empty>
          <Results text={text} onGone={onClose} />
        </Command.List>
      </Command>
    </Dialog>
  );
}

/** Lists pages and workspaces at first. Keys, members and requests need a search text. */
function Results({ text, onGone }: { text: string; onGone: () => void }) {
  const may = useMay();
  const navigate = useNavigate();
  const workspaces = useWorkspaces();
  const search = useDebounced(text.trim(), PAUSE_MS);
  const asked = { query: { search, limit: MAX_SHOWN } };
  const isAsked = (action: Action) => ({
    isEnabled: search !== "" && may(action),
    isPreviousShown: true,
  });
  const keys = useApi("listApiKeys", asked, isAsked("api_keys:read"));
  const members = useApi(
    "listMembers",
    { query: { ...asked.query, omit_workspaces: true } },
    isAsked("members:read"),
  );
  const go = (to: string, hash?: string) => {
    onGone();
    void navigate({ to, ...(hash !== undefined && { hash }) });
  };
  const pages = places.flatMap(({ items }) => items).filter((place) => may(place.action));
  const isLooking = text.trim() !== "";
  return (
    <>
      <Group heading="Pages">
        {findMatches(pages, ({ label }) => label, text, pages.length).map(({ label, to, icon }) => (
          <Result key={label} id={`page ${label}`} icon={icon} onSelect={() => go(String(to))}>
            {label}
          </Result>
        ))}
      </Group>
      <Group heading="Workspaces">
        {findMatches(workspaces.data?.items ?? [], ({ name }) => name, text, MAX_SHOWN).map(
          ({ id, name, display_color }) => (
            <Result key={id} id={id} onSelect={() => go(`/workspaces/${id}`)}>
              <ColorDot color={display_color} /> <span className="truncate">{name}</span>
            </Result>
          ),
        )}
      </Group>
      {isLooking && (
        <>
          {may("personal_keys:write") && (
            <Group heading="Connect">
              {findMatches(clientPages, ({ label }) => label, text, MAX_SHOWN).map((page) => (
                <Result
                  key={page.label}
                  id={`client ${page.label}`}
                  icon={Plug}
                  onSelect={() => go(findClientAddress(page))}
                >
                  {page.label}
                </Result>
              ))}
            </Group>
          )}
          <Group heading="Requests">
            {REQUEST.test(text.trim()) && may("usage:read")
              ? [
                  <Result
                    key="request"
                    id="request"
                    icon={ListTree}
                    onSelect={() => go(`/requests?open=${text.trim()}`)}
                  >
                    <code className="truncate">{text.trim()}</code>
                  </Result>,
                ]
              : []}
          </Group>
          <Group heading="API keys">
            {(keys.data?.data ?? []).map(({ id, name, partial_key_hint }) => (
              <Result key={id} id={id} icon={KeyRound} onSelect={() => go(`/api-keys/${id}`)}>
                <span className="truncate">{name}</span>
                <code className="ml-auto whitespace-nowrap text-faint" title={partial_key_hint}>
                  <span className="max-sm:hidden">{partial_key_hint.slice(0, -END_CHARS)}</span>
                  <span aria-hidden="true" className="sm:hidden">
                    …
                  </span>
                  {partial_key_hint.slice(-END_CHARS)}
                </code>
              </Result>
            ))}
          </Group>
          <Group heading="Members">
            {(members.data?.data ?? []).map(({ id, name, email }) => (
              <Result
                key={id}
                id={id}
                icon={CircleUser}
                onSelect={() => go(`/members?find=${encodeURIComponent(email)}`)}
              >
                <span className="truncate">{name}</span>
                <span className="ml-auto truncate text-faint">{email}</span>
              </Result>
            ))}
          </Group>
          <Group heading="Guides">
            {findInGuides(guides, text, MAX_SHOWN).map(({ guide, heading }) => (
              <Result
                key={`${guide.name} ${heading?.id ?? ""}`}
                id={`guide ${guide.name} ${heading?.id ?? ""}`}
                icon={BookOpen}
                onSelect={() => go(`/guides/${guide.name}`, heading?.id)}
              >
                <span className="truncate">{heading?.text ?? guide.title}</span>
                {heading && <span className="ml-auto truncate text-faint">{guide.title}</span>}
              </Result>
            ))}
          </Group>
        </>
      )}
    </>
  );
}

interface ResultProps {
  id: string;
  icon?: LucideIcon;
  onSelect: () => void;
  children: ReactNode;
}

function Result({ id, icon: Icon, onSelect, children }: ResultProps) {
  return (
    <Command.Item
      value={id}
      onSelect={onSelect}
      className="flex min-h-9 items-center gap-2.5 rounded-md px-2.5 text-sm data-[selected=true]:bg-sunk pointer-coarse:min-h-11"
    >
      {Icon && <Icon size={15} className="shrink-0 text-quiet" />}
      {children}
    </Command.Item>
  );
}

function Group({ heading, children }: { heading: string; children: ReactNode[] }) {
  if (children.length === 0) return null;
  return (
    <Command.Group
      heading={heading}
      className="pb-1 [&>[cmdk-group-heading]]:px-2.5 [&>[cmdk-group-heading]]:py-1 [&>[cmdk-group-heading]]:text-xs [&>[cmdk-group-heading]]:text-faint"
    >
      {children}
    </Command.Group>
  );
}

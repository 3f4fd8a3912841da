import { Link, useLocation } from "@tanstack/react-router";
import { ChevronDown, CircleHelp } from "lucide-react";
import { useEffect, useId, useRef } from "react";
import { type Badges, useBadges } from "../kit/badges.ts";
import { useObservable } from "../observable.ts";
import { useMay } from "../session.ts";
import { classNames } from "../ui/class-names.ts";
import { useIsDrawn } from "../ui/use-is-drawn.ts";
import { type BadgeSum, sumBadges } from "./badges.ts";
import { isGroupOpen } from "./is-group-open.ts";
import { isAt, isOtherAddress, type Place, type PlaceGroup, places } from "./navigation.ts";
import { groupChoices, setGroupOpen, showGroup } from "./rail-groups.ts";

/** Attributes that the router sets on a link to the open page. */
const openPageAttributes = { "data-status": "active", "aria-current": "page" } as const;

const lineLook =
  "flex min-h-8.5 items-center gap-2.5 rounded-md px-2.5 text-sm text-quiet transition-colors hover:bg-line/60 hover:text-ink pointer-coarse:min-h-11";

interface PlacesProps {
  /** Called for a press on a place. */
  onGo?: (() => void) | undefined;
}

/** Places of the console in groups that fold. */
export function Places({ onGo }: PlacesProps) {
  const may = useMay();
  const { pathname } = useLocation();
  const badges = useBadges();
  const choices = useObservable(groupChoices);
  const groups = places
    .map((group) => ({ ...group, items: group.items.filter((place) => may(place.action)) }))
    .filter(({ items }) => items.length > 0);
  const placeCount = groups.reduce((sum, { items }) => sum + items.length, 0);
  const current = groups.find(({ items }) => items.some((place) => isAt(place, pathname)))?.title;
  useEffect(() => {
    if (current !== undefined) showGroup(current);
  }, [current]);
  const nav = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another address has another current place.
  useEffect(() => {
    nav.current?.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest" });
  }, [pathname]);
  return (
    <nav
      ref={nav}
      aria-label="Console"
      className="grid min-h-0 flex-1 content-start gap-3 overflow-y-auto px-3 pb-4"
    >
      {groups.map((group) => {
        const { title, isOpenAtFirst = false } = group;
        const isCurrent = title === current;
        const state = { title, isOpenAtFirst, isCurrent, placeCount };
        return (
          <Group
            key={title}
            group={group}
            isCurrent={isCurrent}
            isOpen={isGroupOpen(choices, state)}
            badges={badges}
            onGo={onGo}
          />
        );
      })}
    </nav>
  );
}

interface GroupProps extends PlacesProps {
  group: PlaceGroup;
  isCurrent: boolean;
  isOpen: boolean;
  badges: Badges;
}

/** The group of the open page does not fold. A folded group shows the counts of its places. */
function Group({ group: { title, items }, isCurrent, isOpen, badges, onGo }: GroupProps) {
  const { pathname } = useLocation();
  const id = useId();
  const isDrawn = useIsDrawn();
  const names = isOpen ? [] : items.flatMap((place) => place.badges ?? []);
  const badge = sumBadges(names, badges);
  return (
    <div>
      <h2 className="relative">
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={`${id}-places`}
          aria-disabled={isCurrent || undefined}
          aria-describedby={badge ? `${id}-badge` : undefined}
          onClick={() => !isCurrent && setGroupOpen(title, !isOpen)}
          className={classNames(
            "group flex min-h-7.5 w-full items-center gap-1.5 rounded-md px-2.5 text-xs font-medium text-faint transition-colors pointer-coarse:min-h-11",
            isCurrent ? "cursor-default!" : "hover:text-ink",
          )}
        >
          {title}
          {!isCurrent && (
            <ChevronDown
              size={13}
              aria-hidden="true"
              className={classNames("transition-transform", !isOpen && "-rotate-90")}
            />
          )}
        </button>
        <BadgePill id={`${id}-badge`} badge={badge} />
      </h2>
      <ul id={`${id}-places`} hidden={!isOpen} className={isOpen ? "grid gap-px" : ""}>
        {(isOpen || isDrawn) &&
          items.map((place) => (
            <PlaceLink
              key={place.label}
              place={place}
              badge={sumBadges(place.badges ?? [], badges)}
              pathname={pathname}
              onGo={onGo}
            />
          ))}
      </ul>
    </div>
  );
}

interface PlaceLinkProps extends PlacesProps {
  place: Place;
  badge: BadgeSum | null;
  pathname: string;
}

function PlaceLink({ place, badge, pathname, onGo }: PlaceLinkProps) {
  const { icon: Icon, label, to = "/" } = place;
  const id = useId();
  return (
    <li className="relative">
      <Link
        to={to}
        {...(onGo && { onClick: onGo })}
        activeOptions={{ exact: to === "/", includeSearch: false }}
        {...(isOtherAddress(place, pathname) && openPageAttributes)}
        {...(badge && { "aria-describedby": id })}
        className={classNames(
          lineLook,
          "data-[status=active]:bg-line/75 data-[status=active]:font-medium data-[status=active]:text-ink",
          badge && "pr-11",
        )}
      >
        <Icon size={16} strokeWidth={1.85} aria-hidden="true" />
        {label}
      </Link>
      <BadgePill id={id} badge={badge} />
    </li>
  );
}

const MAX_SHOWN = 99;

/** Count at the end of a line. The line refers to its words. */
function BadgePill({ id, badge }: { id: string; badge: BadgeSum | null }) {
  if (badge === null) return null;
  const { count, isUrgent, words } = badge;
  return (
    <>
      <span
        aria-hidden="true"
        className={classNames(
          "figures pointer-events-none absolute top-1/2 right-2.5 min-w-5 -translate-y-1/2 rounded-full px-1.5 text-center text-[0.6875rem] leading-4.5 font-semibold",
          isUrgent ? "bg-bad-wash text-bad" : "bg-accent-wash text-accent",
        )}
      >
        {count > MAX_SHOWN ? `${MAX_SHOWN}+` : count}
      </span>
      <span id={id} hidden>
        {words}
      </span>
    </>
  );
}

/** The guides, in a tab of their own, so that this page keeps its state. */
export function HelpLink() {
  return (
    <a href="/guides" target="_blank" rel="noopener" className={lineLook}>
      <CircleHelp size={16} strokeWidth={1.85} aria-hidden="true" />
      Help
      <span className="sr-only">(opens in a new tab)</span>
    </a>
  );
}

import type { Action } from "@bursar/contract/permissions.ts";
import type { LinkProps } from "@tanstack/react-router";
import {
  Activity,
  Bell,
  Building2,
  ChartColumn,
  ClipboardCheck,
  Gauge,
  House,
  IdCard,
  KeyRound,
  Landmark,
  Layers,
  ListTree,
  Lock,
  type LucideIcon,
  Mail,
  MessageSquare,
  Plug,
  ReceiptText,
  ScrollText,
  Server,
  ShieldCheck,
  Tag,
  Tags,
  Terminal,
  UserKey,
  Users,
  Wallet,
} from "lucide-react";
import type { BadgeName } from "../kit/badges.ts";

export interface Place {
  label: string;
  to: LinkProps["to"];
  icon: LucideIcon;
  /** Addresses of other tabs and of pages below them. */
  otherAddresses?: readonly string[];
  /** Shown to members with this right in the organization or in any workspace. */
  action: Action;
  /** Key after `g`. */
  shortcut?: string;
  /** Counts beside the label. */
  badges?: readonly BadgeName[];
}

export interface PlaceGroup {
  title: string;
  /** Open until someone folds it. The other groups are folded until someone opens them. */
  isOpenAtFirst?: true;
  items: readonly Place[];
}

const spend: readonly Place[] = [
  { label: "Overview", to: "/", icon: House, action: "self:read", shortcut: "o" },
  { label: "Usage", to: "/usage", icon: ChartColumn, action: "usage:read", shortcut: "u" },
  { label: "Cost", to: "/cost", icon: Wallet, action: "usage:read", shortcut: "c" },
  {
    label: "Statements",
    to: "/statements",
    icon: ReceiptText,
    action: "statements:read",
    shortcut: "g",
  },
  {
    label: "Limits",
    to: "/spend-limits",
    otherAddresses: ["/rate-limits", "/increase-requests"],
    icon: Landmark,
    action: "spend_limits:read",
    shortcut: "l",
    badges: ["blocked_limits", "increase_requests"],
  },
  {
    label: "Alerts",
    to: "/alerts",
    icon: Bell,
    action: "alerts:read",
    shortcut: "b",
    badges: ["failing_channels", "alerts"],
  },
];

const build: readonly Place[] = [
  { label: "API keys", to: "/api-keys", icon: KeyRound, action: "api_keys:read", shortcut: "k" },
  {
    label: "Personal keys",
    to: "/personal-keys",
    icon: UserKey,
    action: "personal_keys:write",
    shortcut: "j",
  },
  { label: "Connect", to: "/connect", icon: Plug, action: "personal_keys:write", shortcut: "x" },
  {
    label: "Playground",
    to: "/playground",
    icon: MessageSquare,
    action: "messages:create",
    shortcut: "p",
  },
  { label: "Requests", to: "/requests", icon: ListTree, action: "usage:read", shortcut: "r" },
  { label: "My usage", to: "/my-usage", icon: Gauge, action: "self:read", shortcut: "q" },
];

const company: readonly Place[] = [
  {
    label: "Workspaces",
    to: "/workspaces",
    icon: Layers,
    action: "workspaces:read",
    shortcut: "w",
  },
  {
    label: "Team",
    to: "/members",
    otherAddresses: ["/groups", "/invites", "/access"],
    icon: Users,
    action: "members:read",
    shortcut: "t",
  },
  {
    label: "Claude Code",
    to: "/claude-code",
    icon: Terminal,
    // Agent sessions are for everyone with usage.
    action: "usage:read",
    shortcut: "z",
  },
  { label: "Tags", to: "/tags", icon: Tag, action: "workspaces:read", shortcut: "f" },
  {
    label: "Settings",
    to: "/settings",
    icon: Building2,
    action: "organization:write",
    shortcut: "n",
  },
];

const security: readonly Place[] = [
  {
    label: "Access reviews",
    to: "/access-reviews",
    icon: ClipboardCheck,
    // Possible reviewers: administrators of the organization or of a workspace.
    action: "workspace_members:write",
    shortcut: "v",
    badges: ["access_reviews"],
  },
  {
    label: "Audit log",
    to: "/audit-log",
    icon: ScrollText,
    action: "audit_log:read",
    shortcut: "h",
  },
  {
    label: "Admin keys",
    to: "/admin-keys",
    icon: ShieldCheck,
    action: "admin_keys:read",
    shortcut: "a",
  },
  {
    label: "Directories",
    to: "/directories",
    icon: IdCard,
    action: "directories:read",
    shortcut: "d",
  },
  {
    label: "Security settings",
    to: "/security-settings",
    icon: Lock,
    action: "security:read",
    shortcut: "y",
  },
];

const system: readonly Place[] = [
  {
    label: "Upstreams",
    to: "/upstreams",
    icon: Server,
    action: "upstreams:read",
    shortcut: "s",
    badges: ["failing_upstreams"],
  },
  {
    label: "Model prices",
    to: "/model-prices",
    icon: Tags,
    action: "model_prices:read",
    shortcut: "m",
  },
  { label: "Mail", to: "/mail", icon: Mail, action: "mail:read", shortcut: "e" },
  { label: "System", to: "/system", icon: Activity, action: "system:read", shortcut: "i" },
];

/** Places of the rail, in order. A new page adds a line to a group here and a route in `routes/`. */
export const places: readonly PlaceGroup[] = [
  { title: "Spend", isOpenAtFirst: true, items: spend },
  { title: "Build", isOpenAtFirst: true, items: build },
  { title: "Company", items: company },
  { title: "Security", items: security },
  { title: "System", items: system },
];

/** True if the path is the page of a place, below it, or another tab of it. */
export function isAt({ to = "/", ...place }: Place, path: string): boolean {
  if (to === "/") return path === "/";
  return path === to || path.startsWith(`${to}/`) || isOtherAddress(place, path);
}

/** True for a path at or below one of the other addresses of a place. */
export function isOtherAddress(
  { otherAddresses = [] }: Pick<Place, "otherAddresses">,
  path: string,
): boolean {
  return otherAddresses.some((address) => path === address || path.startsWith(`${address}/`));
}

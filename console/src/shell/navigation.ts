import type { Action } from "@bursar/contract/permissions.ts";
import type { LinkProps } from "@tanstack/react-router";
import {
  Bell,
  ChartColumn,
  House,
  KeyRound,
  Landmark,
  Layers,
  Lock,
  type LucideIcon,
  Mail,
  ScrollText,
  Server,
  ShieldCheck,
  Tags,
  Users,
  Wallet,
} from "lucide-react";

export interface Place {
  label: string;
  to: LinkProps["to"];
  icon: LucideIcon;
  /** Shown to who may do this somewhere. */
  action: Action;
  /** Pressed after `g`. */
  shortcut?: string;
}

/** The places of the rail, in their order. A new page adds its line here and its route in router.tsx. */
export const places: readonly { title: string | null; items: readonly Place[] }[] = [
  {
    title: null,
    items: [
      { label: "Overview", to: "/", icon: House, action: "usage:read", shortcut: "o" },
      { label: "Usage", to: "/usage", icon: ChartColumn, action: "usage:read", shortcut: "u" },
      { label: "Cost", to: "/cost", icon: Wallet, action: "usage:read", shortcut: "c" },
      { label: "API keys", to: "/keys", icon: KeyRound, action: "api_keys:read", shortcut: "k" },
      {
        label: "Limits",
        to: "/limits",
        icon: Landmark,
        action: "spend_limits:read",
        shortcut: "l",
      },
      { label: "Alerts", to: "/alerts", icon: Bell, action: "alerts:read", shortcut: "n" },
    ],
  },
  {
    title: "Company",
    items: [
      {
        label: "Workspaces",
        to: "/workspaces",
        icon: Layers,
        action: "workspaces:read",
        shortcut: "w",
      },
      { label: "Team", to: "/team", icon: Users, action: "members:read", shortcut: "t" },
      {
        label: "Admin keys",
        to: "/admin-keys",
        icon: ShieldCheck,
        action: "admin_keys:read",
        shortcut: "a",
      },
      {
        label: "Models & prices",
        to: "/models",
        icon: Tags,
        action: "model_prices:read",
        shortcut: "m",
      },
      { label: "Upstream", to: "/upstream", icon: Server, action: "upstreams:read", shortcut: "s" },
      { label: "Security", to: "/security", icon: Lock, action: "security:read", shortcut: "y" },
      {
        label: "Audit log",
        to: "/audit",
        icon: ScrollText,
        action: "audit_log:read",
        shortcut: "h",
      },
      { label: "Mail", to: "/mail", icon: Mail, action: "mail:read", shortcut: "e" },
    ],
  },
];

import type { Action } from "@bursar/contract/permissions.ts";
import { Navigate, Outlet, useLocation } from "@tanstack/react-router";
import type { GuideName } from "../../guide-names.ts";
import { useMay } from "../../session.ts";
import { Page } from "../../ui/page.tsx";
import { type Tab, TabLinks } from "../../ui/tabs.tsx";

/** Tabs in order, each with the right that shows it. */
const tabs: readonly (Tab & { action: Action })[] = [
  { label: "Laptops", to: "/claude-code/laptops", action: "members:write" },
  { label: "Settings", to: "/claude-code/settings", action: "managed_settings:read" },
  { label: "Telemetry", to: "/claude-code/telemetry", action: "telemetry_receivers:read" },
  { label: "Agent sessions", to: "/claude-code/agent-sessions", action: "usage:read" },
];

/** Guides of tabs with another guide than the page. */
const guideByTab: Readonly<Record<string, GuideName>> = {
  "/claude-code/settings": "managed-settings",
  "/claude-code/telemetry": "telemetry",
};

/** Frame of the tabs about Claude Code in the company. */
export function ClaudeCodePage() {
  const { pathname } = useLocation();
  const shown = useShownTabs();
  return (
    <Page
      title="Claude Code"
      guide={guideByTab[pathname] ?? "claude-code-sign-in"}
      lead="Laptops that are signed in, their settings, and the cost of their sessions."
    >
      <TabLinks label="Claude Code" tabs={shown} />
      <Outlet />
    </Page>
  );
}

/** Opens the first tab that the member can see. */
export function FirstTab() {
  const [first] = useShownTabs();
  return first?.to === undefined ? null : <Navigate to={first.to} replace />;
}

function useShownTabs(): Tab[] {
  const may = useMay();
  return tabs.filter(({ action }) => may(action));
}

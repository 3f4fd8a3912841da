import { Outlet, useLocation } from "@tanstack/react-router";
import type { GuideName } from "../../guide-names.ts";
import { Page } from "../../ui/page.tsx";
import { TabLinks } from "../../ui/tabs.tsx";

/** Guides of tabs with another guide than the page. */
const guideByTab: Readonly<Record<string, GuideName>> = {
  "/alerts/rules": "alert-kinds",
  "/alerts/channels": "alert-channels",
};

export function AlertsPage() {
  const { pathname } = useLocation();
  return (
    <Page
      title="Alerts"
      guide={guideByTab[pathname] ?? "alerts"}
      lead="Fired alerts, their rules, and the channels that messages are sent to."
    >
      <TabLinks
        label="Alerts"
        tabs={[
          { label: "History", to: "/alerts" },
          { label: "Rules", to: "/alerts/rules" },
          { label: "Channels", to: "/alerts/channels" },
        ]}
      />
      <Outlet />
    </Page>
  );
}

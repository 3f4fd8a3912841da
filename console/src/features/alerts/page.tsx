import { Outlet } from "@tanstack/react-router";
import { Page } from "../../ui/page.tsx";
import { TabLinks } from "../../ui/tabs.tsx";

export function AlertsPage() {
  return (
    <Page
      title="Alerts"
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

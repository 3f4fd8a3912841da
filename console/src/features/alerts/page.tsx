import { Outlet } from "@tanstack/react-router";
import { Page } from "../../ui/page.tsx";
import { TabLinks } from "../../ui/tabs.tsx";

export function AlertsPage() {
  return (
    <Page
      title="Alerts"
      lead="What went off, the rules that watch for it, and where the messages go."
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

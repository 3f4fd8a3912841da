import { Outlet, useLocation } from "@tanstack/react-router";
import { LimitsTab } from "../../kit/limits/limits-tab.tsx";
import { KeyLimits } from "../../kit/spend-limits/key-limits.tsx";
import { spendLimits } from "../../kit/spend-limits/spend-limit-kind.ts";
import { useMay, useMayEverywhere } from "../../session.ts";
import { ButtonLink } from "../../ui/button.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { type Tab, TabLinks } from "../../ui/tabs.tsx";
import { GroupLimitMode } from "./group-limit-mode.tsx";
import { UnresolvedSpend } from "./unresolved.tsx";

/** Tabs of the spend limits and the rate limits. */
export function LimitsPage() {
  const { pathname } = useLocation();
  const may = useMay();
  const tabs: (Tab | false)[] = [
    may("spend_limits:read") && { label: "Spend limits", to: "/spend-limits" },
    may("rate_limits:read") && { label: "Rate limits", to: "/rate-limits" },
  ];
  return (
    <Page
      title="Limits"
      guide={pathname === "/rate-limits" ? "rate-limits" : "spend-limits"}
      lead="Limits on spend per day, week and month, and on requests per minute. Days start at 00:00 UTC. Simulated cost counts too."
      actions={
        may("spend_limits:request") && (
          <ButtonLink to="/increase-requests">Increase requests</ButtonLink>
        )
      }
    >
      <TabLinks label="Limits" tabs={tabs.filter((tab) => tab !== false)} />
      <Outlet />
    </Page>
  );
}

export function SpendLimitsTab() {
  const may = useMay();
  const mayEverywhere = useMayEverywhere();
  return (
    <LimitsTab
      kind={spendLimits}
      ofKey={{
        title: "Limits of a key",
        lead: "Each request must be within all of these limits.",
        show: (apiKeyId) => <KeyLimits apiKeyId={apiKeyId} />,
      }}
    >
      {mayEverywhere("spend_limits:read") && (
        <Section
          title="People in several groups"
          lead="Groups can have a default cap for each member. A person’s own value replaces them."
        >
          <GroupLimitMode />
        </Section>
      )}
      {may("spend:resolve") && (
        <Section
          title="Unresolved spend"
          lead="Cost of requests with an unknown outcome. Limits count this cost as spent until it is released or charged."
        >
          <UnresolvedSpend />
        </Section>
      )}
    </LimitsTab>
  );
}

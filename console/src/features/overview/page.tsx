import { Suspense } from "react";
import { lazyPart } from "../../load-part.ts";
import { useMay, useSession } from "../../session.ts";
import { Page } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";

const CompanyOverview = lazyPart(() => import("./company-overview.tsx"), "CompanyOverview");
const PersonalKeys = lazyPart(
  () => import("../../kit/personal-keys/personal-keys.tsx"),
  "PersonalKeys",
);

/** The company at a glance. Members who see their own usage only get their keys instead. */
export function OverviewPage() {
  const may = useMay();
  const { organization } = useSession();
  const seesCompany = may("api_keys:read") || may("spend_limits:read");
  const lead = seesCompany
    ? "Tasks for you, and the cost of Claude."
    : "Your keys, and the workspaces where you can create one.";
  return (
    <Page title={organization.name} lead={lead} {...(seesCompany && { guide: "overview" })}>
      <Suspense fallback={<SkeletonRows />}>
        {seesCompany ? <CompanyOverview /> : <PersonalKeys />}
      </Suspense>
    </Page>
  );
}

import { Suspense } from "react";
import { lazyPart } from "../../load-part.ts";
import { useMay, useSession } from "../../session.ts";
import { Page } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { CompanyOverview } from "./company-overview.tsx";
import { seesCompany } from "./sees-company.ts";

const PersonalKeys = lazyPart(
  () => import("../../kit/personal-keys/personal-keys.tsx"),
  "PersonalKeys",
);

/** The company at a glance. Members who see their own usage only get their keys instead. */
export function OverviewPage() {
  const may = useMay();
  const { organization } = useSession();
  const isOfCompany = seesCompany((action) => may(action));
  const lead = isOfCompany
    ? "Tasks for you, and the cost of Claude."
    : "Your keys, and the workspaces where you can create one.";
  return (
    <Page title={organization.name} lead={lead} {...(isOfCompany && { guide: "overview" })}>
      <Suspense fallback={<SkeletonRows />}>
        {isOfCompany ? <CompanyOverview /> : <PersonalKeys />}
      </Suspense>
    </Page>
  );
}

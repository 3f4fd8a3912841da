import { Page } from "../../ui/page.tsx";
import { LimitList } from "./components.tsx";

export function LimitsPage() {
  return (
    <Page title="Limits" lead="What may be spent per day, week and month. Days begin at 00:00 UTC.">
      <LimitList />
    </Page>
  );
}

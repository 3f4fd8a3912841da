import { useMay } from "../../session.ts";
import { ButtonLink } from "../../ui/button.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { LimitList } from "./components.tsx";
import { LimitExplainer } from "./explainer.tsx";
import { useSpendLimits } from "./queries.ts";
import { UnresolvedSpend } from "./unresolved.tsx";

export function LimitsPage() {
  const may = useMay();
  // What stands below the list comes with it, so that the list does not push it down.
  const isComing = useSpendLimits().isPending;
  return (
    <Page
      title="Limits"
      lead="What may be spent per day, week and month. Days begin at 00:00 UTC."
      actions={
        may("spend_limits:request") && (
          <ButtonLink to="/limits/requests">Requests for more</ButtonLink>
        )
      }
    >
      <div className="grid gap-12">
        <LimitList />
        {!isComing && may("api_keys:read") && (
          <Section
            title="What limits a key"
            lead="A request must fit the limits of its key, its workspace and the company, all of them."
          >
            <LimitExplainer />
          </Section>
        )}
        {!isComing && may("spend:resolve") && (
          <Section
            title="Unresolved spend"
            lead="Requests whose end never became known. Limits count them as spent until you decide, or until they are released by themselves."
          >
            <UnresolvedSpend />
          </Section>
        )}
      </div>
    </Page>
  );
}

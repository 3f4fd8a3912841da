import type { ReactNode } from "react";
import { useMay } from "../../session.ts";
import { Section } from "../../ui/page.tsx";
import { LimitExplainer } from "./limit-explainer.tsx";
import type { Limited, LimitKind, LimitValues } from "./limit-kind.ts";
import { LimitList } from "./limit-list.tsx";

interface LimitsTabProps<Limit extends Limited, Values extends LimitValues> {
  kind: LimitKind<Limit, Values>;
  /** Section that explains the limits of one key. */
  ofKey: { title: string; lead: string; show: (apiKeyId: string) => ReactNode };
  /** Further sections. */
  children?: ReactNode;
}

/** Limits of the company, and the limits of one key. */
export function LimitsTab<Limit extends Limited, Values extends LimitValues>(
  props: LimitsTabProps<Limit, Values>,
) {
  const { kind, ofKey, children } = props;
  const may = useMay();
  // The section below the list appears together with it, so that nothing moves.
  const isPending = kind.list.useLimits(undefined).isPending;
  return (
    <div className="grid gap-12">
      <LimitList kind={kind} />
      {!isPending && may("api_keys:read") && (
        <Section title={ofKey.title} lead={ofKey.lead}>
          <LimitExplainer show={ofKey.show} />
        </Section>
      )}
      {!isPending && children}
    </div>
  );
}

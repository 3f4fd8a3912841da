import { LaptopList } from "../../kit/laptops/laptop-list.tsx";
import type { Member } from "../../kit/members/queries.ts";
import { useList } from "../../queries.ts";
import { Section } from "../../ui/page.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";

/** Machines where Claude Code uses the account of a member. */
export function MemberLaptops({ member }: { member: Member }) {
  const laptops = useList("listLaptops", { query: { member_id: member.id, status: "active" } });
  return (
    <Section title="Laptops" lead="Machines where Claude Code uses this account.">
      {laptops.error && <FormError error={laptops.error} />}
      {!laptops.data && !laptops.error && <SkeletonRows rows={1} />}
      {laptops.data && <LaptopList laptops={laptops.data.items} isOwn={false} />}
    </Section>
  );
}

import { includesRank, type Rank } from "@bursar/contract/permissions.ts";
import type { ReactNode } from "react";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { useSetterNames } from "../../kit/members/setter-names.ts";
import { nameRankAndHigher } from "../../kit/rank-words.ts";
import { Button } from "../../ui/button.tsx";
import { formatDay } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { describeRestrictions, setterOf } from "./key-ranks.ts";
import { useUpdateApiKey } from "./queries.ts";

/** Restrictions of a key by rank. Members can remove restrictions of their own rank and of lower ranks. */
export function KeyRestrictions({ apiKey, rank }: { apiKey: ApiKey; rank: Rank | null }) {
  const update = useUpdateApiKey();
  const setterName = useSetterNames();
  if (apiKey.restrictions.length === 0) return null;
  const remove = (each: ApiKey["restrictions"][number]) => {
    const body = {
      rank: each.rank,
      ...(each.is_disabled && { status: "active" as const }),
      ...(each.allowed_models && { allowed_models: null }),
      ...(each.allowed_addresses && { allowed_addresses: null }),
      ...(each.expires_at && { expires_at: null }),
    };
    update.mutate(
      { params: { api_key_id: apiKey.id }, body },
      { onSuccess: () => showToast("Restrictions removed") },
    );
  };
  const isChangeable = apiKey.status === "active" || apiKey.status === "inactive";
  return (
    <Section
      title="Restrictions"
      lead="Each rank sets its own restrictions. The strictest ones are in force."
    >
      <ul className="divide-y divide-line border-y border-line text-sm">
        {apiKey.restrictions.map((each) => {
          const isRemovable = rank !== null && includesRank(rank, each.rank);
          return (
            <li key={each.rank} className="flex flex-wrap items-center gap-x-6 gap-y-1 py-3">
              <span className="min-w-0 break-words text-ink first-letter:uppercase">
                {describeRestrictions(each, formatDay).join(" · ")}
              </span>
              <span className="text-quiet">
                Set by {setterOf(each.rank)}
                {formatName(each.rank, setterName(each.set_by))} <RelativeTime at={each.set_at} />
              </span>
              {isChangeable && rank !== null && (
                <span className="text-quiet max-sm:w-full sm:ml-auto">
                  {isRemovable ? (
                    <Button isBusy={update.isPending} onClick={() => remove(each)}>
                      Remove restrictions
                    </Button>
                  ) : (
                    `Only ${nameRankAndHigher(each.rank)} can remove them.`
                  )}
                </span>
              )}
            </li>
          );
        })}
      </ul>
      <FormError error={update.error} />
    </Section>
  );
}

/** " (Grace Hopper)". Empty for the operator, whose rank is the name. */
function formatName(rank: Rank, name: string | null): string {
  return rank === "machine" || name === null ? "" : ` (${name})`;
}

/** Restrictions of other ranks, which stay whatever the form sets. */
export function OtherRestrictions({ apiKey, rank }: { apiKey: ApiKey; rank: Rank }): ReactNode {
  const others = apiKey.restrictions.filter((each) => each.rank !== rank);
  if (others.length === 0) return null;
  return (
    <ul className="grid gap-1 rounded-md bg-sunk px-4 py-3 text-sm text-quiet">
      {others.map((each) => (
        <li key={each.rank} className="break-words">
          Set by {setterOf(each.rank)}: {describeRestrictions(each, formatDay).join(" · ")}
        </li>
      ))}
    </ul>
  );
}

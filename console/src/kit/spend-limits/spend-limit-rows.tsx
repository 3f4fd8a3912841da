import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { formatPlural, formatUsd, toUsdText } from "../../ui/format.ts";
import { NameLink } from "../../ui/name-link.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import type { LimitRowsProps, NamedLimit } from "../limits/limit-kind.ts";
import { LimitMenu } from "../limits/limit-menu.tsx";
import { LimitBadges } from "./limit-badges.tsx";
import { LimitBar } from "./limit-bar.tsx";
import type { SpendLimit } from "./queries.ts";
import { describeOrigin, periodWords } from "./words.ts";

const DRAWN_AT_ONCE = 50;

/** Spend limits, each with its used part. */
export function SpendLimitRows({ rows, actions }: LimitRowsProps<SpendLimit>) {
  const [drawn, setDrawn] = useState(DRAWN_AT_ONCE);
  return (
    <>
      <ul className="divide-y divide-line border-y border-line">
        {rows.slice(0, drawn).map(({ limit, name }) => (
          <LimitRow
            key={limit.id}
            limit={limit}
            name={name}
            actions={
              actions && {
                onEdit: () => actions.onEdit(limit),
                onRemove: actions.canRemove(limit) ? () => actions.onRemove(limit) : null,
              }
            }
          />
        ))}
      </ul>
      {rows.length > drawn && (
        <Button className="mx-auto" onClick={() => setDrawn(drawn + DRAWN_AT_ONCE)}>
          Show more of {formatPlural(rows.length, "limit")}
        </Button>
      )}
    </>
  );
}

interface LimitRowProps extends NamedLimit<SpendLimit> {
  /** Null where the person may not change limits. */
  actions: { onEdit: () => void; onRemove: (() => void) | null } | null;
}

function LimitRow({ limit, name, actions }: LimitRowProps) {
  return (
    <li className="grid gap-x-6 gap-y-2 py-4 sm:grid-cols-[minmax(0,15rem)_minmax(0,1fr)_auto] sm:items-center">
      <div className="min-w-0">
        <p className="flex min-w-0">
          <NameLink to="/spend-limits/$spendLimitId" params={{ spendLimitId: limit.id } as never}>
            {name}
          </NameLink>
        </p>
        <p className="text-sm text-quiet">
          <span className="figures">{formatUsd(toUsdText(limit.limit_usd))}</span>{" "}
          {periodWords[limit.period]}
        </p>
      </div>
      <div className="grid gap-1.5">
        <LimitBar limit={limit} />
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-quiet">
          <LimitBadges limit={limit} />
          {limit.member_count === null && (
            <span>
              Resets <RelativeTime at={limit.period_ends_at} />
            </span>
          )}
          <span>{describeOrigin(limit)}</span>
        </p>
      </div>
      {actions ? (
        <LimitMenu noun="limit" of={name} {...actions} className="max-sm:hidden" />
      ) : (
        <span />
      )}
      {actions && (
        <p className="flex gap-6 py-1.5 text-sm sm:hidden">
          <button type="button" className="link target" onClick={actions.onEdit}>
            Change limit…
          </button>
          {actions.onRemove && (
            <button type="button" className="link target" onClick={actions.onRemove}>
              Remove limit…
            </button>
          )}
        </p>
      )}
    </li>
  );
}

import type { alertPreview, alertPreviewRoutes } from "@bursar/contract/admin/alert-preview.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import { describeFiring } from "#src/alerts/firing/alert-words.rule.ts";
import type { AlertDeps } from "#src/alerts/rules/alerts.ts";
import { isoFromMs } from "#src/domain/spend-period.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { type AlertPreview, previewAlert, type Replay } from "./alert-preview.ts";

const DAY_MS = 86_400_000;
/** Maximum firings that a preview lists. */
const MAX_LISTED = 20;

export function makeAlertPreviewHandlers(
  deps: AlertDeps,
): HandlersFor<(typeof alertPreviewRoutes)[number], Call> {
  return {
    previewAlert: async (call, { body }) => toPreview(await previewAlert(deps, call, body)),
  };
}

function toPreview(preview: AlertPreview): z.input<typeof alertPreview> {
  return {
    type: "alert_preview",
    covered_by: preview.coveredBy.map(({ row, coverage }) => ({
      id: row.id,
      name: row.name,
      scope: toWireScope(row),
      scope_name: row.scopeName,
      includes_below: row.includesBelow,
      condition: row.condition,
      is_enabled: row.isEnabled,
      muted_until: row.mutedUntil?.toISOString() ?? null,
      coverage,
    })),
    adds_nothing: preview.addsNothing,
    replay: preview.replay && toWireReplay(preview.replay),
    note: preview.note,
  };
}

function toWireReplay(replay: Replay): NonNullable<z.input<typeof alertPreview>["replay"]> {
  const { firings, fromMs, toMs } = replay;
  const byDay = Map.groupBy(firings, ({ atMs }) => dateOf(atMs - 1));
  const days: { date: string; firings: number }[] = [];
  for (let dayMs = fromMs - (fromMs % DAY_MS); dayMs < toMs; dayMs += DAY_MS) {
    days.push({ date: dateOf(dayMs), firings: byDay.get(dateOf(dayMs))?.length ?? 0 });
  }
  return {
    from: isoFromMs(fromMs),
    to: isoFromMs(toMs),
    firings: firings.length,
    messages: new Set(firings.map(({ atMs }) => atMs)).size,
    days,
    newest: firings
      .slice(-MAX_LISTED)
      .reverse()
      .map((firing) => ({
        at: isoFromMs(firing.atMs),
        scope: toWireScope(firing),
        scope_name: firing.scopeName,
        threshold: firing.threshold,
        title: describeFiring(firing).title,
      })),
    scopes: replay.scopes,
    scopes_left_out: replay.scopesLeftOut,
  };
}

function dateOf(atMs: number): string {
  return isoFromMs(atMs).slice(0, 10);
}

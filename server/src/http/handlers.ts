import type { HandlersFor } from "@bursar/contract/route.ts";
import type { AdminRoute } from "@bursar/contract/routes.ts";
import type { BrowserCall, PublicCall } from "#src/access/call.ts";
import {
  makeAccessHandlers,
  makeAccessReviewHandlers,
} from "#src/features/access-reviews/routes.ts";
import type { ReviewDeps } from "#src/features/access-reviews/start-review.ts";
import { makeAdminKeyHandlers } from "#src/features/admin-keys/routes.ts";
import type { AlertChannelDeps } from "#src/features/alert-channels/alert-channels.ts";
import { makeAlertChannelHandlers } from "#src/features/alert-channels/routes.ts";
import { makeAlertHandlers } from "#src/features/alerts/routes.ts";
import { makeApiKeyHandlers, makeKeyHygieneHandlers } from "#src/features/api-keys/routes.ts";
import type { AuditLogDeps } from "#src/features/audit-log/audit-log.ts";
import { makeAuditLogHandlers } from "#src/features/audit-log/routes.ts";
import type { RequestMailDeps } from "#src/features/increase-requests/request-mail.ts";
import { makeIncreaseRequestHandlers } from "#src/features/increase-requests/routes.ts";
import type { AcceptDeps } from "#src/features/invites/accept-invite.ts";
import { makeInviteHandlers } from "#src/features/invites/routes.ts";
import { makeLedgerCheckHandlers } from "#src/features/ledger-check/routes.ts";
import type { MailReadDeps } from "#src/features/mail/mail.ts";
import { makeMailHandlers } from "#src/features/mail/routes.ts";
import { makeMemberHandlers } from "#src/features/members/routes.ts";
import { makeModelPriceHandlers } from "#src/features/model-prices/routes.ts";
import { makeOrganizationHandlers } from "#src/features/organizations/routes.ts";
import { makePlaygroundHandlers } from "#src/features/playground/routes.ts";
import { makeRateLimitHandlers } from "#src/features/rate-limits/routes.ts";
import { makeRequestHandlers } from "#src/features/requests/routes.ts";
import { makeRotationPolicyHandlers } from "#src/features/rotation-policies/routes.ts";
import { makeSecuritySettingsHandlers } from "#src/features/security-settings/routes.ts";
import {
  makeSessionHandlers,
  makeSetUpHandlers,
  makeSignInHandlers,
} from "#src/features/sign-in/routes.ts";
import type { SignInDeps } from "#src/features/sign-in/sign-in-deps.ts";
import { makeSpendLimitHandlers } from "#src/features/spend-limits/routes.ts";
import { makeSystemHandlers } from "#src/features/system/routes.ts";
import type { SystemDeps } from "#src/features/system/system.ts";
import { makeUnresolvedSpendHandlers } from "#src/features/unresolved-spend/routes.ts";
import type { UnresolvedDeps } from "#src/features/unresolved-spend/unresolved-spend.ts";
import { makeUpstreamHandlers } from "#src/features/upstreams/routes.ts";
import type { UpstreamDeps } from "#src/features/upstreams/upstreams.ts";
import { makeOfficialReportHandlers } from "#src/features/usage/official-routes.ts";
import { makeUsageHandlers } from "#src/features/usage/routes.ts";
import { makeWorkspaceMemberHandlers } from "#src/features/workspace-members/routes.ts";
import { makeWorkspaceHandlers } from "#src/features/workspaces/routes.ts";

/** What the use cases need of the world. */
export type HandlerDeps = UpstreamDeps &
  AcceptDeps &
  MailReadDeps &
  AuditLogDeps &
  ReviewDeps &
  UnresolvedDeps &
  AlertChannelDeps &
  RequestMailDeps &
  SystemDeps &
  SignInDeps & { operatorOrganizationId: string };

/** One handler for every route of the contract; leaving one out does not compile. */
export type Handlers = HandlersFor<AdminRoute, BrowserCall, PublicCall>;

export function makeHandlers(deps: HandlerDeps): Handlers {
  return {
    ...makeSetUpHandlers(deps),
    ...makeSignInHandlers(deps),
    ...makeSessionHandlers(deps),
    ...makeOrganizationHandlers(deps),
    ...makeWorkspaceHandlers(deps),
    ...makeMemberHandlers(deps),
    ...makeWorkspaceMemberHandlers(deps),
    ...makeInviteHandlers(deps),
    ...makeMailHandlers(deps),
    ...makeApiKeyHandlers(deps),
    ...makeKeyHygieneHandlers(deps),
    ...makeRotationPolicyHandlers(deps),
    ...makeAdminKeyHandlers(deps),
    ...makeSecuritySettingsHandlers(deps),
    ...makeAccessHandlers(deps),
    ...makeAccessReviewHandlers(deps),
    ...makeAlertChannelHandlers(deps),
    ...makeSpendLimitHandlers(deps),
    ...makeRateLimitHandlers(deps),
    ...makeAlertHandlers(deps),
    ...makeIncreaseRequestHandlers(deps),
    ...makeUnresolvedSpendHandlers(deps),
    ...makeLedgerCheckHandlers(deps),
    ...makeUsageHandlers(deps),
    ...makeRequestHandlers(deps),
    ...makeOfficialReportHandlers(deps),
    ...makeModelPriceHandlers(deps),
    ...makeUpstreamHandlers(deps),
    ...makeAuditLogHandlers(deps),
    ...makeSystemHandlers(deps),
    ...makePlaygroundHandlers(deps),
  };
}

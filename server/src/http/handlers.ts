import type { HandlersFor } from "@bursar/contract/route.ts";
import type { AdminRoute } from "@bursar/contract/routes.ts";
import type { BrowserCall, PublicCall, ReportCall } from "#src/access/call.ts";
import type { AlertChannelDeps } from "#src/alerts/channels/alert-channels.ts";
import { makeAlertChannelHandlers } from "#src/alerts/channels/routes.ts";
import { makeAlertGroupHandlers } from "#src/alerts/firing/routes.ts";
import { makeAlertPreviewHandlers } from "#src/alerts/preview/routes.ts";
import { makeAlertHandlers } from "#src/alerts/rules/routes.ts";
import type { AuditLogDeps } from "#src/audit/audit-log.ts";
import { makeAuditLogHandlers } from "#src/audit/routes.ts";
import { makeLaptopHandlers } from "#src/claude-code/laptops/routes.ts";
import { makeManagedSettingsHandlers } from "#src/claude-code/settings/routes.ts";
import { makeTelemetryReceiverHandlers } from "#src/claude-code/telemetry/routes.ts";
import type { TelemetryReceiverDeps } from "#src/claude-code/telemetry/telemetry-receivers.ts";
import { makeHandOverHandlers } from "#src/hand-over/routes.ts";
import { makeAdminKeyHandlers } from "#src/keys/admin-keys/routes.ts";
import {
  makeApiKeyHandlers,
  makeKeyHygieneHandlers,
  makeManyApiKeyHandlers,
} from "#src/keys/api-keys/routes.ts";
import { makePersonalKeyHandlers } from "#src/keys/personal-keys/routes.ts";
import { makePlaygroundHandlers } from "#src/keys/playground/routes.ts";
import { makeRotationPolicyHandlers } from "#src/keys/rotation/routes.ts";
import { makeWaitingSecretHandlers } from "#src/keys/waiting-secrets/routes.ts";
import type { MailReadDeps } from "#src/mail/list-mail.ts";
import { makeMailHandlers } from "#src/mail/routes.ts";
import { makeMessageBatchHandlers } from "#src/message-batches/routes.ts";
import { makeOrganizationHandlers } from "#src/organizations/routes.ts";
import { makeOverviewHandlers } from "#src/overview/routes.ts";
import {
  makeDirectoryHandlers,
  makeDirectorySignInHandlers,
  makeLinkedDirectoryHandlers,
} from "#src/people/directory/routes.ts";
import type { DirectorySignInDeps } from "#src/people/directory/start-directory-session.ts";
import { makeRbacHandlers } from "#src/people/groups/rbac-routes.ts";
import { makeGroupHandlers } from "#src/people/groups/routes.ts";
import type { AcceptDeps } from "#src/people/invites/accept-invite.ts";
import { makeInviteHandlers } from "#src/people/invites/routes.ts";
import { makeMemberHandlers } from "#src/people/members/routes.ts";
import { makePreferenceHandlers } from "#src/people/preferences/routes.ts";
import { makeScimTokenHandlers } from "#src/people/scim/routes.ts";
import { makeSecuritySettingsHandlers } from "#src/people/security-settings/routes.ts";
import {
  makeSessionHandlers,
  makeSetUpHandlers,
  makeSignInHandlers,
} from "#src/people/sign-in/routes.ts";
import type { SignInDeps } from "#src/people/sign-in/sign-in-deps.ts";
import { makeWorkspaceMemberHandlers } from "#src/people/workspace-members/routes.ts";
import { makeModelPriceHandlers, makeNeutralFeatureHandlers } from "#src/prices/routes.ts";
import { makeRateLimitHandlers } from "#src/rates/limits/routes.ts";
import { makeRefusalHandlers } from "#src/refusals/routes.ts";
import { makeAccessHandlers, makeAccessReviewHandlers } from "#src/reviews/routes.ts";
import type { ReviewDeps } from "#src/reviews/start-review.ts";
import { makeLedgerCheckHandlers } from "#src/spend/check/routes.ts";
import { makeExceededBoundHandlers } from "#src/spend/exceeded-bounds/routes.ts";
import type { RequestMailDeps } from "#src/spend/increase-requests/request-mail.ts";
import { makeIncreaseRequestHandlers } from "#src/spend/increase-requests/routes.ts";
import {
  makeLimitForecastHandlers,
  makeMyLimitHandlers,
  makeSpendLimitHandlers,
} from "#src/spend/limits/routes.ts";
import { makeUnresolvedSpendHandlers } from "#src/spend/unresolved/routes.ts";
import type { UnresolvedDeps } from "#src/spend/unresolved/unresolved-spend.ts";
import { makeServerAddressHandlers, makeSystemHandlers } from "#src/system/routes.ts";
import type { ServerAddressDeps } from "#src/system/server-address.ts";
import type { SystemDeps } from "#src/system/system.ts";
import { makeTagFileHandlers } from "#src/tag-files/routes.ts";
import { makeTagHandlers } from "#src/tags/routes.ts";
import { makeStoredObjectHandlers } from "#src/upstream-objects/routes.ts";
import { makeUpstreamHandlers } from "#src/upstreams/routes.ts";
import type { UpstreamDeps } from "#src/upstreams/upstreams.ts";
import { makeAgentSessionHandlers } from "#src/usage/agent-sessions/routes.ts";
import { makeMyUsageHandlers } from "#src/usage/my-usage/routes.ts";
import { makeOfficialReportHandlers } from "#src/usage/reports/official-routes.ts";
import { makeUsageHandlers } from "#src/usage/reports/routes.ts";
import { makeRequestHandlers } from "#src/usage/request-log/routes.ts";
import { makeStatementHandlers } from "#src/usage/statements/routes.ts";
import { makeWorkspaceHandlers } from "#src/workspaces/routes.ts";

/** Dependencies of the use cases. */
export type HandlerDeps = UpstreamDeps &
  TelemetryReceiverDeps &
  AcceptDeps &
  MailReadDeps &
  AuditLogDeps &
  ReviewDeps &
  UnresolvedDeps &
  AlertChannelDeps &
  RequestMailDeps &
  SystemDeps &
  ServerAddressDeps &
  Omit<DirectorySignInDeps, "providers"> &
  SignInDeps & { operatorOrganizationId: string };

/** One handler for every route of the contract. A missing one does not compile. */
export type Handlers = HandlersFor<AdminRoute, BrowserCall, PublicCall, ReportCall>;

export function makeHandlers(deps: HandlerDeps): Handlers {
  return {
    ...makeSetUpHandlers(deps),
    ...makeSignInHandlers(deps),
    ...makeDirectorySignInHandlers(deps),
    ...makeSessionHandlers(deps),
    ...makePreferenceHandlers(deps),
    ...makeOrganizationHandlers(deps),
    ...makeWorkspaceHandlers(deps),
    ...makeTagHandlers(deps),
    ...makeTagFileHandlers(deps),
    ...makeMemberHandlers(deps),
    ...makeHandOverHandlers(deps),
    ...makeWorkspaceMemberHandlers(deps),
    ...makeGroupHandlers(deps),
    ...makeRbacHandlers(deps),
    ...makeInviteHandlers(deps),
    ...makeMailHandlers(deps),
    ...makeApiKeyHandlers(deps),
    ...makeManyApiKeyHandlers(deps),
    ...makePersonalKeyHandlers(deps),
    ...makeKeyHygieneHandlers(deps),
    ...makeWaitingSecretHandlers(deps),
    ...makeRotationPolicyHandlers(deps),
    ...makeAdminKeyHandlers(deps),
    ...makeSecuritySettingsHandlers(deps),
    ...makeDirectoryHandlers(deps),
    ...makeScimTokenHandlers(deps),
    ...makeLinkedDirectoryHandlers(deps),
    ...makeAccessHandlers(deps),
    ...makeAccessReviewHandlers(deps),
    ...makeAlertChannelHandlers(deps),
    ...makeSpendLimitHandlers(deps),
    ...makeLimitForecastHandlers(deps),
    ...makeRateLimitHandlers(deps),
    ...makeAlertHandlers(deps),
    ...makeAlertGroupHandlers(deps),
    ...makeAlertPreviewHandlers(deps),
    ...makeIncreaseRequestHandlers(deps),
    ...makeUnresolvedSpendHandlers(deps),
    ...makeLedgerCheckHandlers(deps),
    ...makeUsageHandlers(deps),
    ...makeMyUsageHandlers(deps),
    ...makeStatementHandlers(deps),
    ...makeMyLimitHandlers(deps),
    ...makeRequestHandlers(deps),
    ...makeAgentSessionHandlers(deps),
    ...makeRefusalHandlers(deps),
    ...makeOfficialReportHandlers(deps),
    ...makeManagedSettingsHandlers(deps),
    ...makeTelemetryReceiverHandlers(deps),
    ...makeModelPriceHandlers(deps),
    ...makeNeutralFeatureHandlers(deps),
    ...makeExceededBoundHandlers(deps),
    ...makeUpstreamHandlers(deps),
    ...makeMessageBatchHandlers(deps),
    ...makeStoredObjectHandlers(deps),
    ...makeAuditLogHandlers(deps),
    ...makeSystemHandlers(deps),
    ...makeServerAddressHandlers(deps),
    ...makePlaygroundHandlers(deps),
    ...makeLaptopHandlers(deps),
    ...makeOverviewHandlers(deps),
  };
}

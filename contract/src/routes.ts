import { accessRoutes } from "./admin/access.ts";
import { accessReviewEvidenceRoutes } from "./admin/access-review-evidence.ts";
import { accessReviewRoutes } from "./admin/access-reviews.ts";
import { adminKeyRoutes } from "./admin/admin-keys.ts";
import { agentSessionRoutes } from "./admin/agent-sessions.ts";
import { alertChannelRoutes } from "./admin/alert-channels.ts";
import { alertGroupRoutes } from "./admin/alert-groups.ts";
import { alertPreviewRoutes } from "./admin/alert-preview.ts";
import { alertRoutes } from "./admin/alerts.ts";
import { apiKeyTrendRoutes } from "./admin/api-key-trends.ts";
import { apiKeyRoutes } from "./admin/api-keys.ts";
import { auditLogRoutes } from "./admin/audit-log.ts";
import { costRoutes } from "./admin/cost.ts";
import { directoryRoutes } from "./admin/directories.ts";
import { exceededBoundRoutes } from "./admin/exceeded-bounds.ts";
import { groupRoutes } from "./admin/groups.ts";
import { inviteRoutes } from "./admin/invites.ts";
import { keyHygieneRoutes } from "./admin/key-hygiene.ts";
import { laptopRoutes } from "./admin/laptops.ts";
import { ledgerCheckRoutes } from "./admin/ledger-check.ts";
import { limitForecastRoutes } from "./admin/limit-forecasts.ts";
import { linkedDirectoryRoutes } from "./admin/linked-directories.ts";
import { mailRoutes } from "./admin/mail.ts";
import { managedSettingsRoutes } from "./admin/managed-settings.ts";
import { manyApiKeyRoutes } from "./admin/many-api-keys.ts";
import { memberRoutes } from "./admin/members.ts";
import { messageBatchRoutes } from "./admin/message-batches.ts";
import { modelPriceRoutes } from "./admin/model-prices.ts";
import { myLimitRoutes, myUsageRoutes } from "./admin/my-usage.ts";
import { neutralFeatureRoutes } from "./admin/neutral-features.ts";
import { officialReportRoutes } from "./admin/official-reports.ts";
import { organizationRoutes } from "./admin/organization.ts";
import { overviewRoutes } from "./admin/overview.ts";
import { ownedThingRoutes } from "./admin/owned-things.ts";
import { personalKeyRoutes } from "./admin/personal-keys.ts";
import { playgroundRoutes } from "./admin/playground.ts";
import { preferenceRoutes } from "./admin/preferences.ts";
import { rateLimitRoutes } from "./admin/rate-limits.ts";
import { rbacRoutes } from "./admin/rbac.ts";
import { refusalRoutes } from "./admin/refusals.ts";
import { requestRoutes } from "./admin/requests.ts";
import { rotationPolicyRoutes } from "./admin/rotation-policies.ts";
import { scimTokenRoutes } from "./admin/scim-tokens.ts";
import { securitySettingsRoutes } from "./admin/security-settings.ts";
import { serverAddressRoutes } from "./admin/server-address.ts";
import { sessionRoutes } from "./admin/sessions.ts";
import { setUpRoutes } from "./admin/set-up.ts";
import { signInRoutes } from "./admin/sign-in.ts";
import { increaseRequestRoutes } from "./admin/spend-limit-increase-requests.ts";
import { spendLimitRoutes } from "./admin/spend-limits.ts";
import { statementRoutes } from "./admin/statements.ts";
import { storedObjectRoutes } from "./admin/stored-objects.ts";
import { systemRoutes } from "./admin/system.ts";
import { tagFileRoutes } from "./admin/tag-files.ts";
import { tagRoutes } from "./admin/tags.ts";
import { telemetryReceiverRoutes } from "./admin/telemetry-receivers.ts";
import { requestCostRoutes, unresolvedSpendRoutes } from "./admin/unresolved-spend.ts";
import { upstreamRoutes } from "./admin/upstreams.ts";
import { usageRoutes } from "./admin/usage.ts";
import { waitingSecretRoutes } from "./admin/waiting-secrets.ts";
import { workspaceMemberRoutes } from "./admin/workspace-members.ts";
import { workspaceRoutes } from "./admin/workspaces.ts";

/** All operations of the Admin API, in both shapes. */
export const adminRoutes = [
  ...setUpRoutes,
  ...signInRoutes,
  ...sessionRoutes,
  ...preferenceRoutes,
  ...organizationRoutes,
  ...workspaceRoutes,
  ...tagRoutes,
  ...tagFileRoutes,
  ...memberRoutes,
  ...ownedThingRoutes,
  ...workspaceMemberRoutes,
  ...groupRoutes,
  ...rbacRoutes,
  ...inviteRoutes,
  ...mailRoutes,
  ...apiKeyRoutes,
  ...manyApiKeyRoutes,
  ...personalKeyRoutes,
  ...keyHygieneRoutes,
  ...waitingSecretRoutes,
  ...rotationPolicyRoutes,
  ...adminKeyRoutes,
  ...securitySettingsRoutes,
  ...directoryRoutes,
  ...scimTokenRoutes,
  ...linkedDirectoryRoutes,
  ...accessRoutes,
  ...accessReviewRoutes,
  ...alertChannelRoutes,
  ...accessReviewEvidenceRoutes,
  ...spendLimitRoutes,
  ...limitForecastRoutes,
  ...rateLimitRoutes,
  ...alertRoutes,
  ...alertGroupRoutes,
  ...alertPreviewRoutes,
  ...increaseRequestRoutes,
  ...unresolvedSpendRoutes,
  ...ledgerCheckRoutes,
  ...usageRoutes,
  ...apiKeyTrendRoutes,
  ...myUsageRoutes,
  ...myLimitRoutes,
  ...costRoutes,
  ...statementRoutes,
  ...requestRoutes,
  ...requestCostRoutes,
  ...agentSessionRoutes,
  ...refusalRoutes,
  ...officialReportRoutes,
  ...managedSettingsRoutes,
  ...telemetryReceiverRoutes,
  ...modelPriceRoutes,
  ...neutralFeatureRoutes,
  ...exceededBoundRoutes,
  ...upstreamRoutes,
  ...messageBatchRoutes,
  ...storedObjectRoutes,
  ...auditLogRoutes,
  ...systemRoutes,
  ...serverAddressRoutes,
  ...playgroundRoutes,
  ...laptopRoutes,
  ...overviewRoutes,
] as const;

export type AdminRoute = (typeof adminRoutes)[number];

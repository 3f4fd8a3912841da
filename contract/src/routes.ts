import { adminKeyRoutes } from "./admin/admin-keys.ts";
import { apiKeyRoutes } from "./admin/api-keys.ts";
import { auditLogRoutes } from "./admin/audit-log.ts";
import { costRoutes } from "./admin/cost.ts";
import { modelPriceRoutes } from "./admin/model-prices.ts";
import { officialReportRoutes } from "./admin/official-reports.ts";
import { organizationRoutes } from "./admin/organization.ts";
import { requestRoutes } from "./admin/requests.ts";
import { securitySettingsRoutes } from "./admin/security-settings.ts";
import { spendLimitRoutes } from "./admin/spend-limits.ts";
import { upstreamRoutes } from "./admin/upstreams.ts";
import { usageRoutes } from "./admin/usage.ts";
import { workspaceRoutes } from "./admin/workspaces.ts";

/** Every operation of the Admin surface, both shapes. Nothing else is mounted under `/v1`. */
export const adminRoutes = [
  ...organizationRoutes,
  ...workspaceRoutes,
  ...apiKeyRoutes,
  ...adminKeyRoutes,
  ...securitySettingsRoutes,
  ...spendLimitRoutes,
  ...usageRoutes,
  ...costRoutes,
  ...requestRoutes,
  ...officialReportRoutes,
  ...modelPriceRoutes,
  ...upstreamRoutes,
  ...auditLogRoutes,
] as const;

export type AdminRoute = (typeof adminRoutes)[number];

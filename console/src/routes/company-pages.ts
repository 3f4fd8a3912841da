import { createRoute } from "@tanstack/react-router";
import { readAccessSearch } from "../features/access/search.ts";
import { readAccessReviewsSearch } from "../features/access-reviews/search.ts";
import { readApiKeysSearch } from "../features/api-keys/search.ts";
import { readAuditSearch } from "../features/audit-log/search.ts";
import { readAgentSessionsSearch, readLaptopsSearch } from "../features/claude-code/search.ts";
import { readMailSearch } from "../features/mail/search.ts";
import { readMembersSearch } from "../features/members/search.ts";
import { readTagsSearch } from "../features/tags/search.ts";
import { readBatchesSearch, readObjectsSearch } from "../features/workspaces/search.ts";
import { readReportSearch } from "../kit/usage/search.ts";
import { lazyRouteComponent } from "../load-part.ts";
import { shell } from "./frame.ts";

// Pages in the other sections of the rail, and the own account.

const workspaces = createRoute({
  getParentRoute: () => shell,
  path: "/workspaces",
  component: lazyRouteComponent(() => import("../features/workspaces/page.tsx"), "WorkspacesPage"),
});

const workspacePage = () => import("../features/workspaces/workspace-page.tsx");
const workspace = createRoute({
  getParentRoute: () => shell,
  path: "/workspaces/$workspaceId",
  component: lazyRouteComponent(workspacePage, "WorkspacePage"),
});
const workspaceTabs = [
  createRoute({
    getParentRoute: () => workspace,
    path: "/",
    validateSearch: readApiKeysSearch,
    component: lazyRouteComponent(
      () => import("../features/api-keys/workspace-keys-tab.tsx"),
      "WorkspaceKeysTab",
    ),
  }),
  createRoute({
    getParentRoute: () => workspace,
    path: "/limits",
    component: lazyRouteComponent(workspacePage, "WorkspaceLimitsTab"),
  }),
  createRoute({
    getParentRoute: () => workspace,
    path: "/usage",
    validateSearch: readReportSearch,
    component: lazyRouteComponent(workspacePage, "WorkspaceUsageTab"),
  }),
  createRoute({
    getParentRoute: () => workspace,
    path: "/batches",
    validateSearch: readBatchesSearch,
    component: lazyRouteComponent(workspacePage, "WorkspaceBatchesTab"),
  }),
  createRoute({
    getParentRoute: () => workspace,
    path: "/files",
    validateSearch: readObjectsSearch,
    component: lazyRouteComponent(workspacePage, "WorkspaceFilesTab"),
  }),
  createRoute({
    getParentRoute: () => workspace,
    path: "/members",
    component: lazyRouteComponent(workspacePage, "WorkspaceMembersTab"),
  }),
  createRoute({
    getParentRoute: () => workspace,
    path: "/settings",
    component: lazyRouteComponent(workspacePage, "WorkspaceSettingsTab"),
  }),
] as const;

const teamPage = () => import("../features/members/page.tsx");
const team = createRoute({
  getParentRoute: () => shell,
  id: "team",
  component: lazyRouteComponent(teamPage, "TeamPage"),
});
const teamTabs = [
  createRoute({
    getParentRoute: () => team,
    path: "/members",
    validateSearch: readMembersSearch,
    component: lazyRouteComponent(teamPage, "MembersTab"),
  }),
  createRoute({
    getParentRoute: () => team,
    path: "/groups",
    component: lazyRouteComponent(() => import("../features/groups/groups-tab.tsx"), "GroupsTab"),
  }),
  createRoute({
    getParentRoute: () => team,
    path: "/invites",
    component: lazyRouteComponent(
      () => import("../features/invites/invites-tab.tsx"),
      "InvitesTab",
    ),
  }),
  createRoute({
    getParentRoute: () => team,
    path: "/members/roles",
    component: lazyRouteComponent(() => import("../features/members/roles-tab.tsx"), "RolesTab"),
  }),
  createRoute({
    getParentRoute: () => team,
    path: "/access",
    validateSearch: readAccessSearch,
    component: lazyRouteComponent(() => import("../features/access/access-tab.tsx"), "AccessTab"),
  }),
] as const;

const member = createRoute({
  getParentRoute: () => shell,
  path: "/members/$memberId",
  component: lazyRouteComponent(() => import("../features/members/member-page.tsx"), "MemberPage"),
});

const group = createRoute({
  getParentRoute: () => shell,
  path: "/groups/$groupId",
  component: lazyRouteComponent(() => import("../features/groups/group-page.tsx"), "GroupPage"),
});

const claudeCodePage = () => import("../features/claude-code/page.tsx");
const claudeCode = createRoute({
  getParentRoute: () => shell,
  path: "/claude-code",
  component: lazyRouteComponent(claudeCodePage, "ClaudeCodePage"),
});
const claudeCodeTabs = [
  createRoute({
    getParentRoute: () => claudeCode,
    path: "/",
    component: lazyRouteComponent(claudeCodePage, "FirstTab"),
  }),
  createRoute({
    getParentRoute: () => claudeCode,
    path: "/laptops",
    validateSearch: readLaptopsSearch,
    component: lazyRouteComponent(
      () => import("../features/claude-code/laptops-tab.tsx"),
      "LaptopsTab",
    ),
  }),
  createRoute({
    getParentRoute: () => claudeCode,
    path: "/settings",
    component: lazyRouteComponent(
      () => import("../features/claude-code/settings-tab.tsx"),
      "SettingsTab",
    ),
  }),
  createRoute({
    getParentRoute: () => claudeCode,
    path: "/telemetry",
    component: lazyRouteComponent(
      () => import("../features/claude-code/telemetry-tab.tsx"),
      "TelemetryTab",
    ),
  }),
  createRoute({
    getParentRoute: () => claudeCode,
    path: "/agent-sessions",
    validateSearch: readAgentSessionsSearch,
    component: lazyRouteComponent(
      () => import("../features/claude-code/agent-sessions-tab.tsx"),
      "AgentSessionsTab",
    ),
  }),
] as const;

const accessReviewsPage = () => import("../features/access-reviews/page.tsx");
const accessReviews = createRoute({
  getParentRoute: () => shell,
  path: "/access-reviews",
  validateSearch: readAccessReviewsSearch,
  component: lazyRouteComponent(accessReviewsPage, "AccessReviewsPage"),
});

const accessReviewPage = () => import("../features/access-reviews/review-page.tsx");
const accessReview = createRoute({
  getParentRoute: () => shell,
  path: "/access-reviews/$reviewId",
  component: lazyRouteComponent(accessReviewPage, "AccessReviewPage"),
});
const accessReviewTabs = [
  createRoute({
    getParentRoute: () => accessReview,
    path: "/",
    component: lazyRouteComponent(() => import("../features/access-reviews/all-tab.tsx"), "AllTab"),
  }),
  createRoute({
    getParentRoute: () => accessReview,
    path: "/decide",
    component: lazyRouteComponent(
      () => import("../features/access-reviews/decide-tab.tsx"),
      "DecideTab",
    ),
  }),
] as const;

const tags = createRoute({
  getParentRoute: () => shell,
  path: "/tags",
  validateSearch: readTagsSearch,
  component: lazyRouteComponent(() => import("../features/tags/page.tsx"), "TagsPage"),
});

const account = createRoute({
  getParentRoute: () => shell,
  path: "/account",
  component: lazyRouteComponent(() => import("../features/account/page.tsx"), "AccountPage"),
});

const adminKeys = createRoute({
  getParentRoute: () => shell,
  path: "/admin-keys",
  component: lazyRouteComponent(() => import("../features/admin-keys/page.tsx"), "AdminKeysPage"),
});

const modelPricesPage = () => import("../features/model-prices/page.tsx");
const modelPrices = createRoute({
  getParentRoute: () => shell,
  path: "/model-prices",
  component: lazyRouteComponent(modelPricesPage, "ModelPricesPage"),
});

const upstreams = createRoute({
  getParentRoute: () => shell,
  path: "/upstreams",
  component: lazyRouteComponent(() => import("../features/upstreams/page.tsx"), "UpstreamsPage"),
});

const directories = createRoute({
  getParentRoute: () => shell,
  path: "/directories",
  component: lazyRouteComponent(
    () => import("../features/directories/page.tsx"),
    "DirectoriesPage",
  ),
});

const directoryPage = () => import("../features/directories/directory-page.tsx");
const directory = createRoute({
  getParentRoute: () => shell,
  path: "/directories/$directoryId",
  component: lazyRouteComponent(directoryPage, "DirectoryPage"),
});

const auditLog = createRoute({
  getParentRoute: () => shell,
  path: "/audit-log",
  validateSearch: readAuditSearch,
  component: lazyRouteComponent(() => import("../features/audit-log/page.tsx"), "AuditLogPage"),
});

const securityPage = () => import("../features/security-settings/page.tsx");
const securitySettings = createRoute({
  getParentRoute: () => shell,
  path: "/security-settings",
  component: lazyRouteComponent(securityPage, "SecuritySettingsPage"),
});

const mail = createRoute({
  getParentRoute: () => shell,
  path: "/mail",
  validateSearch: readMailSearch,
  component: lazyRouteComponent(() => import("../features/mail/page.tsx"), "MailPage"),
});

const system = createRoute({
  getParentRoute: () => shell,
  path: "/system",
  component: lazyRouteComponent(() => import("../features/system/page.tsx"), "SystemPage"),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  component: lazyRouteComponent(() => import("../features/organization/page.tsx"), "SettingsPage"),
});

export const companyPages = [
  workspaces,
  workspace.addChildren(workspaceTabs),
  team.addChildren(teamTabs),
  member,
  group,
  claudeCode.addChildren(claudeCodeTabs),
  accessReviews,
  accessReview.addChildren(accessReviewTabs),
  tags,
  account,
  adminKeys,
  modelPrices,
  upstreams,
  directories,
  directory,
  auditLog,
  securitySettings,
  mail,
  system,
  settings,
] as const;

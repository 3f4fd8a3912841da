import { findMovedPath } from "@bursar/contract/console-pages.ts";
import {
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { readAccessSearch } from "./features/access/search.ts";
import { readAccessReviewsSearch } from "./features/access-reviews/search.ts";
import { readFiringsSearch } from "./features/alerts/search.ts";
import { readApiKeysSearch } from "./features/api-keys/search.ts";
import { readAuditSearch } from "./features/audit-log/search.ts";
import {
  readIncreaseRequestsSearch,
  readNewIncreaseRequestSearch,
} from "./features/increase-requests/search.ts";
import { readMailSearch } from "./features/mail/search.ts";
import { readMembersSearch } from "./features/members/search.ts";
import { readMyUsageSearch } from "./features/my-usage/search.ts";
import { OverviewPage } from "./features/overview/page.tsx";
import { readSetUpSearch } from "./features/setup/search.ts";
import { readTagsSearch } from "./features/tags/search.ts";
import { NotFoundPage } from "./kit/error-pages.tsx";
import { readLimitsSearch } from "./kit/limits/search.ts";
import { readReportSearch } from "./kit/usage/search.ts";
import { lazyRouteComponent } from "./load-part.ts";
import { makeSearchReader, matching } from "./search-fields.ts";
import { SignedIn } from "./shell/signed-in.tsx";
import { ErrorState } from "./ui/states.tsx";

// Every address of the console. contract/src/console-pages.ts also lists the first part of each, because the server
// answers these paths with the console. Pages are loaded when they are first opened. Old addresses redirect.

const root = createRootRoute({
  beforeLoad: ({ location: { pathname, searchStr, hash } }) => {
    const path = findMovedPath(pathname);
    if (path === null) return;
    throw redirect({ href: `${path}${searchStr}${hash && `#${hash}`}`, replace: true });
  },
  component: Outlet,
  notFoundComponent: NotFoundPage,
});

/** Parent of all pages that need a session. */
const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  component: SignedIn,
  notFoundComponent: NotFoundPage,
});

const overview = createRoute({ getParentRoute: () => shell, path: "/", component: OverviewPage });

const usage = createRoute({
  getParentRoute: () => shell,
  path: "/usage",
  validateSearch: readReportSearch,
  component: lazyRouteComponent(() => import("./features/usage/page.tsx"), "UsagePage"),
});

const cost = createRoute({
  getParentRoute: () => shell,
  path: "/cost",
  validateSearch: readReportSearch,
  component: lazyRouteComponent(() => import("./features/cost/page.tsx"), "CostPage"),
});

const requests = createRoute({
  getParentRoute: () => shell,
  path: "/requests",
  validateSearch: readReportSearch,
  component: lazyRouteComponent(() => import("./features/requests/page.tsx"), "RequestsPage"),
});

const apiKeys = createRoute({
  getParentRoute: () => shell,
  path: "/api-keys",
  validateSearch: readApiKeysSearch,
  component: lazyRouteComponent(() => import("./features/api-keys/page.tsx"), "ApiKeysPage"),
});

const apiKey = createRoute({
  getParentRoute: () => shell,
  path: "/api-keys/$keyId",
  validateSearch: readReportSearch,
  component: lazyRouteComponent(() => import("./features/api-keys/key-page.tsx"), "ApiKeyPage"),
});

const personalKeysPage = () => import("./features/personal-keys/page.tsx");
const waitingSecretPage = () => import("./features/waiting-secrets/page.tsx");
const personalKeys = createRoute({
  getParentRoute: () => shell,
  path: "/personal-keys",
  component: lazyRouteComponent(personalKeysPage, "PersonalKeysPage"),
});

const waitingSecret = createRoute({
  getParentRoute: () => shell,
  path: "/waiting-secrets/$waitingSecretId",
  component: lazyRouteComponent(waitingSecretPage, "WaitingSecretPage"),
});

const myUsage = createRoute({
  getParentRoute: () => shell,
  path: "/my-usage",
  validateSearch: readMyUsageSearch,
  component: lazyRouteComponent(() => import("./features/my-usage/page.tsx"), "MyUsagePage"),
});

const limitsPage = () => import("./features/spend-limits/page.tsx");
const limits = createRoute({
  getParentRoute: () => shell,
  id: "limits",
  component: lazyRouteComponent(limitsPage, "LimitsPage"),
});
const limitTabs = [
  createRoute({
    getParentRoute: () => limits,
    path: "/spend-limits",
    validateSearch: readLimitsSearch,
    component: lazyRouteComponent(limitsPage, "SpendLimitsTab"),
  }),
  createRoute({
    getParentRoute: () => limits,
    path: "/rate-limits",
    validateSearch: readLimitsSearch,
    component: lazyRouteComponent(
      () => import("./features/rate-limits/rates-tab.tsx"),
      "RateLimitsTab",
    ),
  }),
] as const;

const increaseRequestsPage = () => import("./features/increase-requests/page.tsx");
const increaseRequests = createRoute({
  getParentRoute: () => shell,
  path: "/increase-requests",
  validateSearch: readIncreaseRequestsSearch,
  component: lazyRouteComponent(increaseRequestsPage, "IncreaseRequestsPage"),
});

const increaseRequestPage = () => import("./features/increase-requests/request-page.tsx");
const increaseRequest = createRoute({
  getParentRoute: () => shell,
  path: "/increase-requests/$requestId",
  component: lazyRouteComponent(increaseRequestPage, "IncreaseRequestPage"),
});

const newRequestPage = () => import("./features/increase-requests/new-page.tsx");
const newIncreaseRequest = createRoute({
  getParentRoute: () => shell,
  path: "/increase-requests/new",
  validateSearch: readNewIncreaseRequestSearch,
  component: lazyRouteComponent(newRequestPage, "NewIncreaseRequestPage"),
});

const alerts = createRoute({
  getParentRoute: () => shell,
  path: "/alerts",
  component: lazyRouteComponent(() => import("./features/alerts/page.tsx"), "AlertsPage"),
});
const alertHistoryTab = () => import("./features/alerts/history-tab.tsx");
const alertTabs = [
  createRoute({
    getParentRoute: () => alerts,
    path: "/",
    validateSearch: readFiringsSearch,
    component: lazyRouteComponent(alertHistoryTab, "AlertHistoryTab"),
  }),
  createRoute({
    getParentRoute: () => alerts,
    path: "/rules",
    component: lazyRouteComponent(() => import("./features/alerts/rules-tab.tsx"), "AlertRulesTab"),
  }),
  createRoute({
    getParentRoute: () => alerts,
    path: "/channels",
    component: lazyRouteComponent(
      () => import("./features/alerts/channels-tab.tsx"),
      "AlertChannelsTab",
    ),
  }),
] as const;
const alertFiring = createRoute({
  getParentRoute: () => shell,
  path: "/alerts/firings/$firingId",
  component: lazyRouteComponent(() => import("./features/alerts/firing-page.tsx"), "FiringPage"),
});

const workspaces = createRoute({
  getParentRoute: () => shell,
  path: "/workspaces",
  component: lazyRouteComponent(() => import("./features/workspaces/page.tsx"), "WorkspacesPage"),
});

const workspacePage = () => import("./features/workspaces/workspace-page.tsx");
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
      () => import("./features/api-keys/workspace-keys-tab.tsx"),
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
    path: "/members",
    component: lazyRouteComponent(workspacePage, "WorkspaceMembersTab"),
  }),
  createRoute({
    getParentRoute: () => workspace,
    path: "/settings",
    component: lazyRouteComponent(workspacePage, "WorkspaceSettingsTab"),
  }),
] as const;

const teamPage = () => import("./features/members/page.tsx");
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
    component: lazyRouteComponent(() => import("./features/groups/groups-tab.tsx"), "GroupsTab"),
  }),
  createRoute({
    getParentRoute: () => team,
    path: "/invites",
    component: lazyRouteComponent(() => import("./features/invites/invites-tab.tsx"), "InvitesTab"),
  }),
  createRoute({
    getParentRoute: () => team,
    path: "/members/roles",
    component: lazyRouteComponent(() => import("./features/members/roles-tab.tsx"), "RolesTab"),
  }),
  createRoute({
    getParentRoute: () => team,
    path: "/access",
    validateSearch: readAccessSearch,
    component: lazyRouteComponent(() => import("./features/access/access-tab.tsx"), "AccessTab"),
  }),
] as const;

const member = createRoute({
  getParentRoute: () => shell,
  path: "/members/$memberId",
  component: lazyRouteComponent(() => import("./features/members/member-page.tsx"), "MemberPage"),
});

const group = createRoute({
  getParentRoute: () => shell,
  path: "/groups/$groupId",
  component: lazyRouteComponent(() => import("./features/groups/group-page.tsx"), "GroupPage"),
});

const accessReviewsPage = () => import("./features/access-reviews/page.tsx");
const accessReviews = createRoute({
  getParentRoute: () => shell,
  path: "/access-reviews",
  validateSearch: readAccessReviewsSearch,
  component: lazyRouteComponent(accessReviewsPage, "AccessReviewsPage"),
});

const accessReviewPage = () => import("./features/access-reviews/review-page.tsx");
const accessReview = createRoute({
  getParentRoute: () => shell,
  path: "/access-reviews/$reviewId",
  component: lazyRouteComponent(accessReviewPage, "AccessReviewPage"),
});
const accessReviewTabs = [
  createRoute({
    getParentRoute: () => accessReview,
    path: "/",
    component: lazyRouteComponent(() => import("./features/access-reviews/all-tab.tsx"), "AllTab"),
  }),
  createRoute({
    getParentRoute: () => accessReview,
    path: "/decide",
    component: lazyRouteComponent(
      () => import("./features/access-reviews/decide-tab.tsx"),
      "DecideTab",
    ),
  }),
] as const;

const tags = createRoute({
  getParentRoute: () => shell,
  path: "/tags",
  validateSearch: readTagsSearch,
  component: lazyRouteComponent(() => import("./features/tags/page.tsx"), "TagsPage"),
});

const account = createRoute({
  getParentRoute: () => shell,
  path: "/account",
  component: lazyRouteComponent(() => import("./features/account/page.tsx"), "AccountPage"),
});

const adminKeys = createRoute({
  getParentRoute: () => shell,
  path: "/admin-keys",
  component: lazyRouteComponent(() => import("./features/admin-keys/page.tsx"), "AdminKeysPage"),
});

const modelPricesPage = () => import("./features/model-prices/page.tsx");
const modelPrices = createRoute({
  getParentRoute: () => shell,
  path: "/model-prices",
  component: lazyRouteComponent(modelPricesPage, "ModelPricesPage"),
});

const upstreams = createRoute({
  getParentRoute: () => shell,
  path: "/upstreams",
  component: lazyRouteComponent(() => import("./features/upstreams/page.tsx"), "UpstreamsPage"),
});

const directories = createRoute({
  getParentRoute: () => shell,
  path: "/directories",
  component: lazyRouteComponent(() => import("./features/directories/page.tsx"), "DirectoriesPage"),
});

const directoryPage = () => import("./features/directories/directory-page.tsx");
const directory = createRoute({
  getParentRoute: () => shell,
  path: "/directories/$directoryId",
  component: lazyRouteComponent(directoryPage, "DirectoryPage"),
});

const auditLog = createRoute({
  getParentRoute: () => shell,
  path: "/audit-log",
  validateSearch: readAuditSearch,
  component: lazyRouteComponent(() => import("./features/audit-log/page.tsx"), "AuditLogPage"),
});

const securityPage = () => import("./features/security-settings/page.tsx");
const securitySettings = createRoute({
  getParentRoute: () => shell,
  path: "/security-settings",
  component: lazyRouteComponent(securityPage, "SecuritySettingsPage"),
});

const mail = createRoute({
  getParentRoute: () => shell,
  path: "/mail",
  validateSearch: readMailSearch,
  component: lazyRouteComponent(() => import("./features/mail/page.tsx"), "MailPage"),
});

const system = createRoute({
  getParentRoute: () => shell,
  path: "/system",
  component: lazyRouteComponent(() => import("./features/system/page.tsx"), "SystemPage"),
});

const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  component: lazyRouteComponent(() => import("./features/organization/page.tsx"), "SettingsPage"),
});

const playground = createRoute({
  getParentRoute: () => shell,
  path: "/playground",
  component: lazyRouteComponent(() => import("./features/playground/page.tsx"), "PlaygroundPage"),
});

/** Reads the address to open after the sign-in: a path of this console, never another site. */
const readNext = makeSearchReader({ next: matching(/^\/(?![/\\])/) });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  validateSearch: readNext,
  component: lazyRouteComponent(() => import("./features/sign-in/login-page.tsx"), "LoginPage"),
});

const callbackPage = () => import("./features/sign-in/callback-page.tsx");
const callback = createRoute({
  getParentRoute: () => root,
  path: "/login/callback/$directoryId",
  component: lazyRouteComponent(callbackPage, "CallbackPage"),
});

const directoryLink = createRoute({
  getParentRoute: () => root,
  path: "/login/link",
  component: lazyRouteComponent(() => import("./features/sign-in/link-page.tsx"), "LinkPage"),
});

const reset = createRoute({
  getParentRoute: () => root,
  path: "/reset",
  component: lazyRouteComponent(() => import("./features/sign-in/reset-page.tsx"), "ResetPage"),
});

const invite = createRoute({
  getParentRoute: () => root,
  path: "/invite",
  component: lazyRouteComponent(() => import("./features/sign-in/invite-page.tsx"), "InvitePage"),
});

const setUp = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  validateSearch: readSetUpSearch,
  component: lazyRouteComponent(() => import("./features/setup/page.tsx"), "SetUpPage"),
});

const routeTree = root.addChildren([
  login,
  callback,
  directoryLink,
  reset,
  invite,
  setUp,
  shell.addChildren([
    overview,
    usage,
    cost,
    requests,
    apiKeys,
    apiKey,
    personalKeys,
    waitingSecret,
    myUsage,
    limits.addChildren(limitTabs),
    increaseRequests,
    increaseRequest,
    newIncreaseRequest,
    alerts.addChildren(alertTabs),
    alertFiring,
    workspaces,
    workspace.addChildren(workspaceTabs),
    team.addChildren(teamTabs),
    member,
    group,
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
    playground,
  ]),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: "intent",
  scrollRestoration: true,
  defaultErrorComponent: ({ error, reset }) => (
    <ErrorState error={error as Error} onRetry={reset} />
  ),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

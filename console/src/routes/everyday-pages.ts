import { createRoute } from "@tanstack/react-router";
import { readFiringsSearch } from "../features/alerts/search.ts";
import { readApiKeysSearch } from "../features/api-keys/search.ts";
import { readConnectSearch } from "../features/connect/search.ts";
import { readDeviceSearch } from "../features/device/search.ts";
import {
  readIncreaseRequestsSearch,
  readNewIncreaseRequestSearch,
} from "../features/increase-requests/search.ts";
import { readMyUsageSearch } from "../features/my-usage/search.ts";
import { readStatementSearch } from "../features/statements/search.ts";
import { readLimitsSearch } from "../kit/limits/search.ts";
import { readReportSearch } from "../kit/usage/search.ts";
import { lazyRouteComponent } from "../load-part.ts";
import { shell } from "./frame.ts";

// Pages in the first section of the rail.

const overview = createRoute({
  getParentRoute: () => shell,
  path: "/",
  component: lazyRouteComponent(() => import("../features/overview/page.tsx"), "OverviewPage"),
});

const usage = createRoute({
  getParentRoute: () => shell,
  path: "/usage",
  validateSearch: readReportSearch,
  component: lazyRouteComponent(() => import("../features/usage/page.tsx"), "UsagePage"),
});

const cost = createRoute({
  getParentRoute: () => shell,
  path: "/cost",
  validateSearch: readReportSearch,
  component: lazyRouteComponent(() => import("../features/cost/page.tsx"), "CostPage"),
});

const statements = createRoute({
  getParentRoute: () => shell,
  path: "/statements",
  validateSearch: readStatementSearch,
  component: lazyRouteComponent(() => import("../features/statements/page.tsx"), "StatementsPage"),
});

const statement = createRoute({
  getParentRoute: () => shell,
  path: "/statements/$month",
  validateSearch: readStatementSearch,
  component: lazyRouteComponent(
    () => import("../features/statements/statement-page.tsx"),
    "StatementPage",
  ),
});

const requests = createRoute({
  getParentRoute: () => shell,
  path: "/requests",
  validateSearch: readReportSearch,
  component: lazyRouteComponent(() => import("../features/requests/page.tsx"), "RequestsPage"),
});

const apiKeys = createRoute({
  getParentRoute: () => shell,
  path: "/api-keys",
  validateSearch: readApiKeysSearch,
  component: lazyRouteComponent(() => import("../features/api-keys/page.tsx"), "ApiKeysPage"),
});

const apiKey = createRoute({
  getParentRoute: () => shell,
  path: "/api-keys/$keyId",
  validateSearch: readReportSearch,
  component: lazyRouteComponent(() => import("../features/api-keys/key-page.tsx"), "ApiKeyPage"),
});

const personalKeysPage = () => import("../features/personal-keys/page.tsx");
const devicePage = () => import("../features/device/page.tsx");
const connectPage = () => import("../features/connect/page.tsx");
const waitingSecretPage = () => import("../features/waiting-secrets/page.tsx");
const personalKeys = createRoute({
  getParentRoute: () => shell,
  path: "/personal-keys",
  component: lazyRouteComponent(personalKeysPage, "PersonalKeysPage"),
});

// The tabs have no component of their own, so that a new key stays in the code of all clients.
const connect = createRoute({
  getParentRoute: () => shell,
  path: "/connect",
  validateSearch: readConnectSearch,
  component: lazyRouteComponent(connectPage, "ConnectPage"),
});
const connectTabs = [
  createRoute({ getParentRoute: () => connect, path: "/" }),
  createRoute({ getParentRoute: () => connect, path: "/$client" }),
] as const;

const device = createRoute({
  getParentRoute: () => shell,
  path: "/device",
  validateSearch: readDeviceSearch,
  component: lazyRouteComponent(devicePage, "DevicePage"),
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
  component: lazyRouteComponent(() => import("../features/my-usage/page.tsx"), "MyUsagePage"),
});

const limitsPage = () => import("../features/spend-limits/page.tsx");
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
      () => import("../features/rate-limits/rates-tab.tsx"),
      "RateLimitsTab",
    ),
  }),
] as const;

const spendLimit = createRoute({
  getParentRoute: () => shell,
  path: "/spend-limits/$spendLimitId",
  component: lazyRouteComponent(
    () => import("../features/spend-limits/limit-page.tsx"),
    "LimitPage",
  ),
});

const increaseRequestsPage = () => import("../features/increase-requests/page.tsx");
const increaseRequests = createRoute({
  getParentRoute: () => shell,
  path: "/increase-requests",
  validateSearch: readIncreaseRequestsSearch,
  component: lazyRouteComponent(increaseRequestsPage, "IncreaseRequestsPage"),
});

const increaseRequestPage = () => import("../features/increase-requests/request-page.tsx");
const increaseRequest = createRoute({
  getParentRoute: () => shell,
  path: "/increase-requests/$requestId",
  component: lazyRouteComponent(increaseRequestPage, "IncreaseRequestPage"),
});

const newRequestPage = () => import("../features/increase-requests/new-page.tsx");
const newIncreaseRequest = createRoute({
  getParentRoute: () => shell,
  path: "/increase-requests/new",
  validateSearch: readNewIncreaseRequestSearch,
  component: lazyRouteComponent(newRequestPage, "NewIncreaseRequestPage"),
});

const alerts = createRoute({
  getParentRoute: () => shell,
  path: "/alerts",
  component: lazyRouteComponent(() => import("../features/alerts/page.tsx"), "AlertsPage"),
});
const alertHistoryTab = () => import("../features/alerts/history-tab.tsx");
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
    component: lazyRouteComponent(
      () => import("../features/alerts/rules-tab.tsx"),
      "AlertRulesTab",
    ),
  }),
  createRoute({
    getParentRoute: () => alerts,
    path: "/channels",
    component: lazyRouteComponent(
      () => import("../features/alerts/channels-tab.tsx"),
      "AlertChannelsTab",
    ),
  }),
] as const;
const alertFiring = createRoute({
  getParentRoute: () => shell,
  path: "/alerts/firings/$firingId",
  component: lazyRouteComponent(() => import("../features/alerts/firing-page.tsx"), "FiringPage"),
});

const playground = createRoute({
  getParentRoute: () => shell,
  path: "/playground",
  component: lazyRouteComponent(() => import("../features/playground/page.tsx"), "PlaygroundPage"),
});

export const everydayPages = [
  overview,
  usage,
  cost,
  statements,
  statement,
  requests,
  apiKeys,
  apiKey,
  personalKeys,
  connect.addChildren(connectTabs),
  device,
  waitingSecret,
  myUsage,
  limits.addChildren(limitTabs),
  spendLimit,
  increaseRequests,
  increaseRequest,
  newIncreaseRequest,
  alerts.addChildren(alertTabs),
  alertFiring,
  playground,
] as const;

import type {
  KeyPermission,
  OrganizationRole,
  WorkspaceRole,
} from "@bursar/contract/permissions.ts";
import type { AdminRoute } from "@bursar/contract/routes.ts";
import type { Client, TestMember, TestOrganization } from "../admin.ts";
import type { Made } from "./subjects.ts";

export interface Person {
  role?: OrganizationRole | undefined;
  workspaceRole?: WorkspaceRole | undefined;
  /** Permission of a workspace key, which is no person. */
  permission?: KeyPermission | undefined;
  /** Actor type of the caller in the audit log. Null: no credential. */
  actorType?: "admin_key" | "api_key" | "member" | "local_operator" | null;
}

/** Makes a call of an owner without a step-up. */
export type OwnerCall = (of: {
  org: TestOrganization;
  owner: TestMember;
  /** Requests a password reset for the member. Returns the id of the message. */
  requestReset: (member: TestMember) => Promise<string>;
  made: Made;
}) => Promise<{ ids?: Partial<Made>; body?: object }>;

/** Facts about the successful call of one route. */
export interface Sample {
  /** Subjects that must exist beside those that the call names. */
  needs?: readonly (keyof Made)[] | "everything";
  /** Body of a successful call. On a changing route it makes a change. */
  body?: (made: Made) => object;
  query?: string | ((made: Made) => string);
  /** Prepares the organization. */
  prepare?: (operator: Client, made: Made) => Promise<unknown>;
  /** Creates subjects that must belong to the caller, with the caller's client. */
  prepareCaller?: (
    client: Client,
    made: Made,
    operator: Client,
  ) => Promise<{ ids?: Partial<Made>; body?: object }>;
  /** Ids in the call that `prepareCaller` returns. */
  callerIds?: readonly (keyof Made)[];
  /** Whether a permitted person's target exists. Default: yes, for all. */
  isVisible?: (person: Person) => boolean;
  /** Whether a person gets 403 for a visible target. */
  isDenied?: (person: Person) => boolean;
  /** Calls of a route with `stepUp: "if_wider"`. Only the first one needs a step-up, and both are permitted. */
  ifWider?: { wider: OwnerCall; narrower: OwnerCall };
  /** Audit events that the change writes before its own. */
  audits?: readonly string[];
  /** The route changes an existing API key of another caller. */
  isForeignKeyChange?: true;
  /** The route shows usage of other members' keys. Hidden from members with access to their own usage only. */
  hasForeignUsage?: true;
  /** The route names a subject of the whole organization. A right in any workspace makes it visible. */
  isOrganizationWide?: true;
  /** The route names a node. Nodes belong to no organization: every caller that may list nodes sees it. */
  isInstallationWide?: true;
}

/** Samples of the routes of one subject. */
export type Samples = Partial<Record<AdminRoute["operationId"], Sample>>;

import type Anthropic from "@anthropic-ai/sdk";
import type { officialApiKey, updateOfficialApiKey } from "@bursar/contract/admin/api-keys.ts";
import type {
  createOfficialInvite,
  deleteOfficialInvite,
  officialInvite,
} from "@bursar/contract/admin/invites.ts";
import type { officialUser, removeOfficialUser } from "@bursar/contract/admin/members.ts";
import type {
  listAnalyticsCost,
  listAnalyticsUsage,
} from "@bursar/contract/admin/official-reports.ts";
import type {
  listEffectiveMemberLimits,
  officialSpendLimit,
  setOfficialSpendLimit,
} from "@bursar/contract/admin/official-spend-limits.ts";
import type { organization } from "@bursar/contract/admin/organization.ts";
import type {
  listOfficialRateLimits,
  listOfficialWorkspaceRateLimits,
  updateOfficialWorkspaceRateLimit,
} from "@bursar/contract/admin/rate-limits.ts";
import type {
  addOfficialGroupMember,
  createOfficialGroup,
  officialGroup,
  officialGroupMember,
  officialRole,
  officialRolePermission,
  removeOfficialGroupMember,
  updateOfficialGroup,
} from "@bursar/contract/admin/rbac.ts";
import type {
  approveOfficialIncreaseRequest,
  denyOfficialIncreaseRequest,
  listOfficialIncreaseRequests,
  officialIncreaseRequest,
} from "@bursar/contract/admin/spend-limit-increase-requests.ts";
import type {
  addOfficialWorkspaceMember,
  officialWorkspaceMember,
  removeOfficialWorkspaceMember,
} from "@bursar/contract/admin/workspace-members.ts";
import type {
  createOfficialWorkspace,
  officialWorkspace,
  updateOfficialWorkspace,
} from "@bursar/contract/admin/workspaces.ts";
import type { ErrorBody } from "@bursar/contract/error-body.ts";
import type { ErrorType } from "@bursar/contract/errors.ts";
import type AnthropicPrevious from "anthropic-sdk-previous";
import type { z } from "zod";
import type { BetaSimulatedModel, SimulatedModel } from "#src/simulator/models.ts";
import type {
  FileMetadata,
  MessageBatch,
  Skill,
  SkillVersion,
} from "#src/simulator/objects/wire-objects.ts";
import type { AnswerMessage, BetaAnswerMessage } from "#src/simulator/wire-answer.ts";

// Type checks without runtime code. They compile only while responses in the official shape match the types of the
// official SDKs, on both API versions. A field that is missing or has another type stops the type check.

type Answered = { [Name in keyof Schemas]: z.output<Schemas[Name]> };
interface Schemas {
  organization: typeof organization;
  workspace: typeof officialWorkspace;
  apiKey: typeof officialApiKey;
  spendLimit: typeof officialSpendLimit;
  user: typeof officialUser;
  removedUser: (typeof removeOfficialUser)["response"];
  invite: typeof officialInvite;
  deletedInvite: (typeof deleteOfficialInvite)["response"];
  workspaceMember: typeof officialWorkspaceMember;
  removedWorkspaceMember: (typeof removeOfficialWorkspaceMember)["response"];
}

interface Expected<Client extends OfficialClient> {
  organization: Resolved<Client["organization"]["retrieve"]>;
  workspace: Resolved<Client["organization"]["workspaces"]["retrieve"]>;
  apiKey: Resolved<Client["organization"]["apiKeys"]["retrieve"]>;
  spendLimit: Resolved<Client["beta"]["organization"]["spendLimits"]["retrieve"]>;
  user: Resolved<Client["organization"]["users"]["retrieve"]>;
  removedUser: Resolved<Client["organization"]["users"]["remove"]>;
  invite: Resolved<Client["organization"]["invites"]["retrieve"]>;
  deletedInvite: Resolved<Client["organization"]["invites"]["delete"]>;
  workspaceMember: Resolved<Client["organization"]["workspaces"]["members"]["retrieve"]>;
  removedWorkspaceMember: Resolved<Client["organization"]["workspaces"]["members"]["remove"]>;
}

interface OfficialClient {
  organization: OrganizationClient;
  beta: { organization: { spendLimits: { retrieve: Call } } };
}
type Call = (...input: never[]) => PromiseLike<unknown>;
interface OrganizationClient {
  retrieve: Call;
  workspaces: { retrieve: Call; members: { retrieve: Call; remove: Call } };
  users: { retrieve: Call; remove: Call };
  invites: { retrieve: Call; delete: Call };
  apiKeys: { retrieve: Call };
}
type Resolved<Method extends Call> = Awaited<ReturnType<Method>>;

type Is<Condition extends true> = Condition;
type IsAssignable<Given, Wanted> = [Given] extends [Wanted] ? true : false;

export type AnswersFitTheSdk = Is<IsAssignable<Answered, Expected<Anthropic>>>;
export type AnswersFitThePreviousSdk = Is<IsAssignable<Answered, Expected<AnthropicPrevious>>>;

/** No field of the official types is missing in ours. The check above allows a missing optional field. */
type HasAllFields<Given, Wanted> = IsAssignable<Exclude<keyof Wanted, `_${string}`>, keyof Given>;
export type WorkspaceIsComplete = Is<
  HasAllFields<Answered["workspace"], Expected<Anthropic>["workspace"]>
>;
export type ApiKeyIsComplete = Is<HasAllFields<Answered["apiKey"], Expected<Anthropic>["apiKey"]>>;

export type SpendLimitIsComplete = Is<
  HasAllFields<Answered["spendLimit"], Expected<Anthropic>["spendLimit"]>
>;
export type UserIsComplete = Is<HasAllFields<Answered["user"], Expected<Anthropic>["user"]>>;
export type InviteIsComplete = Is<HasAllFields<Answered["invite"], Expected<Anthropic>["invite"]>>;
export type WorkspaceMemberIsComplete = Is<
  HasAllFields<Answered["workspaceMember"], Expected<Anthropic>["workspaceMember"]>
>;

/** Our bodies accept the official client's invites and added members. `managed` is a role of other organizations. */
type Invites = Anthropic["organization"]["invites"];
type NewInvite = Parameters<Invites["create"]>[0];
export type InvitesAreTaken = Is<
  IsAssignable<
    Omit<NewInvite, "role"> & { role: Exclude<NewInvite["role"], "managed"> },
    z.input<(typeof createOfficialInvite)["body"]>
  >
>;
interface GroupAnswers {
  group: z.output<typeof officialGroup>;
  member: z.output<typeof officialGroupMember>;
  removed: z.output<(typeof removeOfficialGroupMember)["response"]>;
  role: z.output<typeof officialRole>;
  permission: z.output<typeof officialRolePermission>;
  signedOut: z.output<typeof officialUser>;
}
type Groups = Anthropic["organization"]["rbacGroups"];
type Roles = Anthropic["organization"]["rbacRoles"];
type Listed<Method extends Call> =
  Resolved<Method> extends { data: readonly (infer Item)[] } ? Item : never;
interface ExpectedGroups {
  group: Resolved<Groups["retrieve"]>;
  member: Resolved<Groups["members"]["add"]>;
  removed: Resolved<Groups["members"]["remove"]>;
  role: Resolved<Roles["retrieve"]>;
  permission: Listed<Roles["permissions"]["list"]>;
  signedOut: Resolved<Anthropic["beta"]["organization"]["users"]["signOut"]>;
}
export type GroupsFitTheSdk = Is<IsAssignable<GroupAnswers, ExpectedGroups>>;
export type GroupsAreComplete = Is<
  HasAllFields<GroupAnswers["group"], ExpectedGroups["group"]> &
    HasAllFields<GroupAnswers["member"], ExpectedGroups["member"]> &
    HasAllFields<GroupAnswers["role"], ExpectedGroups["role"]> &
    HasAllFields<GroupAnswers["permission"], ExpectedGroups["permission"]>
>;
interface GroupBodies {
  create: z.input<(typeof createOfficialGroup)["body"]>;
  update: z.input<(typeof updateOfficialGroup)["body"]>;
  add: z.input<(typeof addOfficialGroupMember)["body"]>;
}
export type GroupsAreTaken = Is<
  IsAssignable<
    {
      create: Parameters<Groups["create"]>[0];
      update: Parameters<Groups["update"]>[1];
      add: Parameters<Groups["members"]["add"]>[1];
    },
    GroupBodies
  >
>;

type NewWorkspaceMember = Parameters<Anthropic["organization"]["workspaces"]["members"]["add"]>[1];
export type WorkspaceMembersAreTaken = Is<
  IsAssignable<NewWorkspaceMember, z.input<(typeof addOfficialWorkspaceMember)["body"]>>
>;

/** Our bodies accept each data privacy of the official client except null. The API refuses null too. */
type BetaWorkspaces = Anthropic["beta"]["organization"]["workspaces"];
type DataPrivacy<Input> = Input extends { inference_data_privacy?: infer Value }
  ? NonNullable<Value>
  : never;
export type DataPrivacyIsTaken = Is<
  IsAssignable<
    [
      DataPrivacy<Parameters<BetaWorkspaces["create"]>[0]>,
      DataPrivacy<Parameters<BetaWorkspaces["update"]>[1]>,
    ],
    [
      DataPrivacy<z.input<(typeof createOfficialWorkspace)["body"]>>,
      DataPrivacy<z.input<(typeof updateOfficialWorkspace)["body"]>>,
    ]
  >
>;

/** Our bodies accept the official client's changes of a key. */
type KeyChange = Parameters<Anthropic["organization"]["apiKeys"]["update"]>[1];
export type KeyChangesAreTaken = Is<
  IsAssignable<Required<KeyChange>, Required<z.input<(typeof updateOfficialApiKey)["body"]>>>
>;

/** The official client can send our query and read our response. */
type EffectiveLimits = Anthropic["organization"]["spendLimits"]["effective"];
export type EffectiveLimitRowsFit = Is<
  IsAssignable<OurRow<typeof listEffectiveMemberLimits>, RowOf<EffectiveLimits["list"]>>
>;
export type SpendLimitBodiesAreTaken = Is<
  IsAssignable<
    Omit<Parameters<Anthropic["beta"]["organization"]["spendLimits"]["set"]>[0], "betas">,
    z.input<(typeof setOfficialSpendLimit)["body"]>
  >
>;
export type EffectiveLimitRowsAreComplete = Is<
  HasAllFields<OurRow<typeof listEffectiveMemberLimits>, RowOf<EffectiveLimits["list"]>>
>;
export type EffectiveLimitQueriesAreTaken = Is<
  IsAssignable<
    keyof NonNullable<Parameters<EffectiveLimits["list"]>[0]>,
    keyof z.input<(typeof listEffectiveMemberLimits)["query"]>
  >
>;

/** Rows of the flat reports. Only the beta namespace of the current SDK has them. */
type Analytics = Anthropic["beta"]["organization"]["analytics"];
type RowOf<Method extends Call> = Resolved<Method> extends { data: (infer Row)[] } ? Row : never;
type OurRow<Route extends { response: z.ZodType }> =
  z.output<Route["response"]> extends { data: (infer Row)[] } ? Row : never;
export type UsageRowsFit = Is<
  IsAssignable<OurRow<typeof listAnalyticsUsage>, RowOf<Analytics["usage"]["list"]>>
>;
export type CostRowsFit = Is<
  IsAssignable<OurRow<typeof listAnalyticsCost>, RowOf<Analytics["cost"]["list"]>>
>;
/** Increase requests. The previous SDK has them in its beta namespace only. */
type Increase = Anthropic["organization"]["spendLimits"]["increaseRequests"];
type OurIncrease = z.output<typeof officialIncreaseRequest>;
type OurApproval = z.output<(typeof approveOfficialIncreaseRequest)["response"]>;
export type IncreaseRequestsFit = Is<IsAssignable<OurIncrease, Resolved<Increase["retrieve"]>>>;
type PreviousIncrease =
  AnthropicPrevious["beta"]["organization"]["spendLimits"]["increaseRequests"];
export type IncreaseRequestsFitThePreviousSdk = Is<
  IsAssignable<OurIncrease, Resolved<PreviousIncrease["retrieve"]>>
>;
export type IncreaseRequestsAreComplete = Is<
  HasAllFields<OurIncrease, Resolved<Increase["retrieve"]>>
>;
export type IncreaseRowsFit = Is<
  IsAssignable<OurRow<typeof listOfficialIncreaseRequests>, RowOf<Increase["list"]>>
>;
export type DenialsFit = Is<
  IsAssignable<
    z.output<(typeof denyOfficialIncreaseRequest)["response"]>,
    Resolved<Increase["deny"]>
  >
>;
export type ApprovalsFit = Is<IsAssignable<OurApproval, Resolved<Increase["approve"]>>>;
export type ApprovalsAreComplete = Is<HasAllFields<OurApproval, Resolved<Increase["approve"]>>>;
/** Includes fields that ours do not use. The server reads or refuses each. */
export type ApproveBodiesAreTaken = Is<
  IsAssignable<
    Parameters<Increase["approve"]>[1],
    z.input<(typeof approveOfficialIncreaseRequest)["body"]>
  >
>;
export type DenyBodiesAreTaken = Is<
  IsAssignable<
    Parameters<Increase["deny"]>[1],
    z.input<(typeof denyOfficialIncreaseRequest)["body"]>
  >
>;
type IncreaseQuery = NonNullable<Parameters<Increase["list"]>[0]>;
export type IncreaseQueriesAreTaken = Is<
  IsAssignable<keyof IncreaseQuery, keyof z.input<(typeof listOfficialIncreaseRequests)["query"]>>
>;

/** Rate limits, in both SDKs. */
type RateLimits<Client extends RateLimitClient> = {
  entry: RowOf<Client["organization"]["rateLimits"]["list"]>;
  ofWorkspace: RowOf<Client["organization"]["workspaces"]["rateLimits"]["list"]>;
  updated: Resolved<Client["organization"]["workspaces"]["rateLimits"]["update"]>;
};
interface RateLimitClient {
  organization: {
    rateLimits: { list: Call };
    workspaces: { rateLimits: { list: Call; update: Call } };
  };
}
interface OurRateLimits {
  entry: OurRow<typeof listOfficialRateLimits>;
  ofWorkspace: OurRow<typeof listOfficialWorkspaceRateLimits>;
  updated: z.output<(typeof updateOfficialWorkspaceRateLimit)["response"]>;
}
export type RateLimitsFit = Is<IsAssignable<OurRateLimits, RateLimits<Anthropic>>>;
export type RateLimitsFitThePreviousSdk = Is<
  IsAssignable<OurRateLimits, RateLimits<AnthropicPrevious>>
>;
export type RateLimitEntriesAreComplete = Is<
  HasAllFields<OurRateLimits["entry"], RateLimits<Anthropic>["entry"]>
>;
export type WorkspaceRateLimitsAreComplete = Is<
  HasAllFields<OurRateLimits["ofWorkspace"], RateLimits<Anthropic>["ofWorkspace"]>
>;
type OfWorkspaces = Anthropic["organization"]["workspaces"]["rateLimits"];
export type RateLimitBodiesAreTaken = Is<
  IsAssignable<
    Omit<Parameters<OfWorkspaces["update"]>[1], "workspace_id">,
    z.input<(typeof updateOfficialWorkspaceRateLimit)["body"]>
  >
>;
type RateQuery = NonNullable<Parameters<Anthropic["organization"]["rateLimits"]["list"]>[0]>;
type WorkspaceRateQuery = NonNullable<Parameters<OfWorkspaces["list"]>[1]>;
export type RateQueriesAreTaken = Is<
  IsAssignable<keyof RateQuery, keyof z.input<(typeof listOfficialRateLimits)["query"]>>
>;
export type WorkspaceRateQueriesAreTaken = Is<
  IsAssignable<
    keyof WorkspaceRateQuery,
    keyof z.input<(typeof listOfficialWorkspaceRateLimits)["query"]>
  >
>;

type UsageQuery = Omit<Parameters<Analytics["usage"]["list"]>[0], "betas">;
type CostQuery = Omit<Parameters<Analytics["cost"]["list"]>[0], "betas">;
export type UsageQueriesAreTaken = Is<
  IsAssignable<keyof UsageQuery, keyof z.input<(typeof listAnalyticsUsage)["query"]>>
>;
export type CostQueriesAreTaken = Is<
  IsAssignable<keyof CostQuery, keyof z.input<(typeof listAnalyticsCost)["query"]>>
>;

/** Error types. Ours are official ones, except 413, which the documentation has and the SDK's list lacks. */
export type ErrorTypesAreOfficial = Is<
  IsAssignable<Exclude<ErrorType, "request_too_large">, Anthropic.ErrorType>
>;

/** The SDK's union of bodies is narrower than its list of types. Each of its bodies accepts ours. */
type BodyOf<Type extends ErrorType> = Type extends unknown
  ? ErrorBody & { error: { type: Type } }
  : never;
type TypesWithBody = Extract<ErrorType, Anthropic.ErrorObject["type"]>;
export type ErrorBodiesFit = Is<IsAssignable<BodyOf<TypesWithBody>, Anthropic.ErrorResponse>>;

/**
 * Responses of the simulator. The API omits `citations` from a text without citations, although its type requires it.
 */
type WithCitations<Block> = Block extends { type: "text" } ? Block & { citations: null } : Block;
type AsTyped<Message extends { content: unknown[] }> = Omit<Message, "content"> & {
  content: WithCitations<Message["content"][number]>[];
};
type BetaMessage = Anthropic.Beta.BetaMessage;
export type MessagesFit = Is<IsAssignable<AsTyped<AnswerMessage>, Anthropic.Message>>;
export type BetaMessagesFit = Is<IsAssignable<AsTyped<BetaAnswerMessage>, BetaMessage>>;
export type MessagesAreComplete = Is<HasAllFields<AnswerMessage, Anthropic.Message>>;
export type MessageUsageIsComplete = Is<HasAllFields<AnswerMessage["usage"], Anthropic.Usage>>;
export type BetaMessageUsageIsComplete = Is<
  HasAllFields<BetaAnswerMessage["usage"], BetaMessage["usage"]>
>;
export type ModelsFit = Is<IsAssignable<SimulatedModel, Anthropic.ModelInfo>>;
export type BetaModelsFit = Is<IsAssignable<BetaSimulatedModel, Anthropic.Beta.BetaModelInfo>>;
export type BetaModelsAreComplete = Is<
  HasAllFields<BetaSimulatedModel, Anthropic.Beta.BetaModelInfo>
>;
export type FilesFit = Is<IsAssignable<FileMetadata, Anthropic.FileMetadata>>;
export type FilesAreComplete = Is<HasAllFields<FileMetadata, Anthropic.FileMetadata>>;
export type BatchesFit = Is<IsAssignable<MessageBatch, Anthropic.Messages.MessageBatch>>;
export type BatchesAreComplete = Is<HasAllFields<MessageBatch, Anthropic.Messages.MessageBatch>>;
export type SkillsFit = Is<IsAssignable<Skill, Anthropic.Skill>>;
export type SkillsAreComplete = Is<HasAllFields<Skill, Anthropic.Skill>>;
type OfficialSkillVersion = Anthropic.Skills.SkillVersion;
export type SkillVersionsFit = Is<IsAssignable<SkillVersion, OfficialSkillVersion>>;
export type SkillVersionsAreComplete = Is<HasAllFields<SkillVersion, OfficialSkillVersion>>;

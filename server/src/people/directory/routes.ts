import {
  type directoryRoutes,
  listDirectories as listDirectoriesRoute,
} from "@bursar/contract/admin/directories.ts";
import type { linkedDirectoryRoutes } from "@bursar/contract/admin/linked-directories.ts";
import type {
  beginDirectorySignIn as beginRoute,
  completeDirectorySignIn as completeRoute,
  confirmDirectoryLink as confirmLinkRoute,
  requestDirectoryLinkMail as linkMailRoute,
  listSignInDirectories as listSignInRoute,
} from "@bursar/contract/admin/sign-in.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { BrowserCall, Call, PublicCall } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { isCompanySignInOnlyEverywhere } from "#src/people/identity/company-sign-in.sql.ts";
import type { DirectoryRow } from "./directories.sql.ts";
import {
  createDirectory,
  type DirectoryDeps,
  deleteDirectory,
  getDirectory,
  listDirectories,
  testDirectory,
  updateDirectory,
} from "./directories.ts";
import { confirmLink, requestLinkMail } from "./directory-links.ts";
import { countPeople } from "./directory-people.sql.ts";
import { beginDirectorySignIn, completeDirectorySignIn } from "./directory-sign-in.ts";
import type { LinkRow } from "./linked-directories.sql.ts";
import {
  listLinksOfMember,
  listOwnLinks,
  unlinkDirectoryOfMember,
  unlinkOwnDirectory,
} from "./linked-directories.ts";
import { previewDirectoryChange } from "./preview-directory.ts";
import { makeProviders } from "./providers.ts";
import { listEnabledDirectories } from "./sign-in.sql.ts";
import type { DirectorySignInDeps } from "./start-directory-session.ts";
import { toWire } from "./to-wire.ts";

export function makeDirectoryHandlers(
  deps: DirectoryDeps,
): HandlersFor<(typeof directoryRoutes)[number], Call> {
  const format = async (row: DirectoryRow) => {
    const people = await countPeople(deps.database, [row.id]);
    return toWire(row, deps.publicUrl(), people.get(row.id));
  };
  return {
    listDirectories: pagedList(
      listDirectoriesRoute,
      async (call: Call, _, page) => {
        const { rows, ...rest } = await listDirectories(deps, call, page);
        const ids = rows.map(({ id }) => id);
        const people = await countPeople(deps.database, ids);
        return { ...rest, rows: rows.map((row) => ({ row, people: people.get(row.id) })) };
      },
      ({ row, people }) => toWire(row, deps.publicUrl(), people),
    ),
    createDirectory: async (call, { body }) => format(await createDirectory(deps, call, body)),
    getDirectory: async (call, { params }) =>
      format(await getDirectory(deps, call, params.directory_id)),
    updateDirectory: async (call, { params, body }) =>
      format(await updateDirectory(deps, call, params.directory_id, body)),
    deleteDirectory: async (call, { params }) => {
      await deleteDirectory(deps, call, params.directory_id);
      return { id: params.directory_id, type: "directory_deleted" };
    },
    previewDirectoryChange: async (call, { params, body }) => {
      const preview = await previewDirectoryChange(deps, call, params.directory_id, body);
      const { refusedWithoutOtherWay, groups, ...counts } = preview;
      return {
        type: "directory_preview",
        ...counts,
        refused_without_other_way: refusedWithoutOtherWay,
        ended_memberships: groups.map(({ id: group_id, ...group }) => ({ group_id, ...group })),
      };
    },
    testDirectory: async (call, { params }) => {
      const { metadata, signingKeys, fault } = await testDirectory(deps, call, params.directory_id);
      return {
        type: "directory_test",
        is_usable: fault === null,
        fault,
        authorization_endpoint: metadata?.authorization_endpoint ?? null,
        token_endpoint: metadata?.token_endpoint ?? null,
        signing_algorithms: metadata?.id_token_signing_alg_values_supported ?? [],
        signing_keys: signingKeys,
        has_issuer_parameter: metadata?.authorization_response_iss_parameter_supported ?? false,
        has_back_channel_logout: metadata?.backchannel_logout_supported ?? false,
      };
    },
  };
}

export function makeLinkedDirectoryHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof linkedDirectoryRoutes)[number], BrowserCall> {
  const toUnlinked = (directory_id: string) =>
    ({ directory_id, type: "directory_unlinked" }) as const;
  return {
    listLinkedDirectories: async (call) => ({ data: (await listOwnLinks(deps, call)).map(toLink) }),
    unlinkDirectory: async (call, { params: { linked_directory_id: id } }) => {
      await unlinkOwnDirectory(deps, call, id);
      return toUnlinked(id);
    },
    listMemberDirectories: async (call, { params }) => ({
      data: (await listLinksOfMember(deps, call, params.member_id)).map(toLink),
    }),
    unlinkMemberDirectory: async (call, { params }) => {
      const { member_id: memberId, linked_directory_id: directoryId } = params;
      await unlinkDirectoryOfMember(deps, call, { memberId, directoryId });
      return toUnlinked(directoryId);
    },
  };
}

function toLink({ created_at, last_used_at, ...link }: LinkRow) {
  return {
    ...link,
    type: "linked_directory" as const,
    linked_at: created_at.toISOString(),
    last_used_at: last_used_at.toISOString(),
  };
}

type SignInRoute =
  | typeof beginRoute
  | typeof completeRoute
  | typeof listSignInRoute
  | typeof linkMailRoute
  | typeof confirmLinkRoute;

export function makeDirectorySignInHandlers(
  given: Omit<DirectorySignInDeps, "providers">,
): HandlersFor<SignInRoute, Call, PublicCall> {
  const deps: DirectorySignInDeps = { ...given, providers: makeProviders(given.client) };
  return {
    listSignInDirectories: async () => ({
      company_sign_in_only: await isCompanySignInOnlyEverywhere(deps.database),
      data: (await listEnabledDirectories(deps.database)).map((directory) => ({
        ...directory,
        type: "sign_in_directory" as const,
      })),
    }),
    beginDirectorySignIn: async (call, { params, body }) => ({
      type: "directory_sign_in",
      authorization_url: await beginDirectorySignIn(deps, call, {
        directoryId: params.directory_id,
        isAgain: body.sign_in_again,
      }),
    }),
    completeDirectorySignIn: (call, { params, body }) =>
      completeDirectorySignIn(deps, call, {
        directoryId: params.directory_id,
        response: body.response,
      }),
    requestDirectoryLinkMail: async (call) => {
      await requestLinkMail(deps, call);
      return { type: "directory_link_requested" };
    },
    confirmDirectoryLink: (call, { body }) => confirmLink(deps, call, body.token ?? null),
  };
}

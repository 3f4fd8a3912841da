import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { deleteTokenKeys, insertTokenKey } from "#src/key-lookup/access-token-keys.sql.ts";
import {
  readTokenKeys,
  tokenKeySealContext,
  UNNAMED_ISSUER,
} from "#src/key-lookup/access-token-keys.ts";
import { ACCESS_TOKEN_MS, makeAccessTokens, type TokenKey } from "#src/key-lookup/access-tokens.ts";
import { assert } from "#src/lib/assert.ts";
import { deriveSealingKey, seal } from "#src/lib/seal.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import { type AdminHarness, PUBLIC_URL, type TestOrganization } from "./admin.ts";
import { type SignedInLaptop, signInLaptop } from "./laptops.ts";
import { setWorkspaceRole } from "./members.ts";

// Access tokens in each state in which they must not work.

export interface TokenState {
  name: string;
  token: string;
  /** Code of the refusal at the addresses of laptops. */
  code: string;
}

interface Place {
  h: AdminHarness;
  org: TestOrganization;
  workspaceId: string;
}

/** Signs in a laptop of a new owner. */
async function signInOwner(
  { h, org, workspaceId }: Place,
  times: { endsAt?: Date } = {},
): Promise<SignedInLaptop> {
  const { id: memberId } = await org.member({ role: "owner" });
  return signInLaptop(h.deps, { organizationId: org.id, workspaceId, memberId, ...times });
}

/** Tokens that are genuine, and refused because of their laptop, its member or its key. */
export async function makeStoppedTokens(place: Place): Promise<TokenState[]> {
  const { h, org, workspaceId } = place;
  const sign = () => signInOwner(place);
  const { operator } = org;
  const ended = await sign();
  await operator.remove(`/v1/admin/laptops/${ended.id}`);
  const deactivated = await sign();
  await operator.post(`/v1/admin/members/${deactivated.subject.memberId}/deactivate`);
  const removed = await sign();
  await operator.remove(`/v1/admin/members/${removed.subject.memberId}`);
  const disabled = await sign();
  await operator.post(`/v1/admin/api_keys/${disabled.apiKeyId}`, { status: "inactive" });
  const left = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
  const of = { organizationId: org.id, workspaceId, memberId: left.id };
  const outside = await signInLaptop(h.deps, of);
  await setWorkspaceRole(h.deps, { workspaceId, memberId: left.id, role: null });
  const lapsed = await signInOwner(place, { endsAt: new Date(h.clock.nowMs - 1) });
  return [
    { name: "an ended laptop", token: ended.accessToken, code: "laptop_ended" },
    { name: "a laptop past its end", token: lapsed.accessToken, code: "laptop_ended" },
    {
      name: "a deactivated member",
      token: deactivated.accessToken,
      code: "api_key_owner_inactive",
    },
    { name: "a removed member", token: removed.accessToken, code: "api_key_owner_inactive" },
    {
      name: "a member outside the workspace",
      token: outside.accessToken,
      code: "api_key_owner_inactive",
    },
    { name: "a disabled key", token: disabled.accessToken, code: "api_key_disabled" },
  ];
}

/** Tokens of a working laptop, expired or signed with keys that no longer count or never did. */
export async function makeForeignTokens(place: Place): Promise<TokenState[]> {
  const { h } = place;
  const { subject, refreshToken } = await signInOwner(place);
  const { nowMs } = h.clock;
  const [key] = await readTokenKeys(h.deps);
  assert(key, "the server has a key of tokens");
  const issue = (signing: TokenKey, { issuer = PUBLIC_URL, atMs = nowMs } = {}) => {
    const tokens = makeAccessTokens(() => issuer);
    tokens.setKeys([{ ...signing, usedFromMs: 0 }]);
    return tokens.issueAccess(subject, atMs);
  };
  const code = "access_token_invalid";
  const deleted = { id: "atkey_deleted", bytes: randomBytes(32), usedFromMs: 0 };
  // The token works while the database has the key.
  await withTokenKey(h, deleted, () => h.deps.accessTokens.check(issue(deleted), nowMs));
  const planted = { id: "atkey_planted", bytes: randomBytes(32), usedFromMs: 0 };
  const plantedToken = issue(planted);
  await plantTokenKey(h, planted);
  const unknown = { id: "atkey_unknown", bytes: randomBytes(32), usedFromMs: 0 };
  return [
    {
      name: "an expired token",
      token: issue(key, { atMs: nowMs - ACCESS_TOKEN_MS }),
      code: "access_token_expired",
    },
    { name: "a refresh token", token: refreshToken, code },
    { name: "another issuer", token: issue(key, { issuer: "https://bursar.example.org" }), code },
    { name: "the issuer without an address", token: issue(key, { issuer: UNNAMED_ISSUER }), code },
    { name: "the key of another server", token: issue({ ...key, bytes: randomBytes(32) }), code },
    { name: "an unknown key", token: issue(unknown), code },
    { name: "a deleted key", token: issue(deleted), code },
    { name: "a key that another secret sealed", token: plantedToken, code },
  ];
}

/** Adds a key of tokens to the database and to memory, until `use` ends. */
async function withTokenKey({ deps }: AdminHarness, key: TokenKey, use: () => void): Promise<void> {
  const reload = async () => deps.accessTokens.setKeys(await readTokenKeys(deps));
  await insertSealedKey(deps, key, deps.sealingKey);
  await reload();
  use();
  await inSignedTransaction(deps, (tx) => deleteTokenKeys(tx, [key.id]));
  await reload();
}

/** Adds a key to the database without the secret of the server, as its owner could. */
async function plantTokenKey({ deps }: AdminHarness, key: TokenKey): Promise<void> {
  await insertSealedKey(deps, key, deriveSealingKey("the secret of another server, long enough"));
  deps.accessTokens.setKeys(await readTokenKeys(deps));
}

async function insertSealedKey(
  deps: AdminHarness["deps"],
  { id, bytes }: TokenKey,
  sealingKey: Buffer,
): Promise<void> {
  const text = Buffer.from(bytes).toString("base64url");
  const now = new Date(deps.nowMs() - 1);
  await inSignedTransaction(deps, (tx) =>
    insertTokenKey(tx, {
      id,
      key_sealed: seal(sealingKey, text, tokenKeySealContext(id)),
      created_at: now,
      used_from: now,
    }),
  );
}

/** Tokens with an altered header or altered claims. `stranger` is another member, for example an owner. */
export async function makeForgedTokens(place: Place): Promise<TokenState[]> {
  const { h } = place;
  const { accessToken, subject } = await signInOwner(place);
  const stranger = await signInOwner(place);
  const [key] = await readTokenKeys(h.deps);
  assert(key, "the server has a key of tokens");
  const [head = "", body = "", mac = ""] = accessToken.split(".");
  const header = JSON.parse(Buffer.from(head, "base64url").toString()) as object;
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as object;
  const sign = (changedHeader: object, changed: object, signing = key.bytes, hash = "sha256") => {
    const text = `${encode(changedHeader)}.${encode(changed)}`;
    return `${text}.${createHmac(hash, signing).update(text).digest("base64url")}`;
  };
  const alter = (changed: object) => `${head}.${encode({ ...claims, ...changed })}.${mac}`;
  const code = "access_token_invalid";
  const unsigned = `${encode({ ...header, alg: "none" })}.${body}.`;
  const issueFor = (changed: object) =>
    h.deps.accessTokens.issueAccess({ ...subject, ...changed }, h.clock.nowMs);
  return [
    { name: "the algorithm none", token: unsigned, code },
    { name: "the algorithm none, signed", token: sign({ ...header, alg: "none" }, claims), code },
    { name: "HS512", token: sign({ ...header, alg: "HS512" }, claims, key.bytes, "sha512"), code },
    { name: "the type JWT", token: sign({ ...header, typ: "JWT" }, claims), code },
    {
      name: "a key id with a path",
      token: sign({ ...header, kid: "../../dev/null" }, claims, Buffer.of()),
      code,
    },
    { name: "another audience", token: sign(header, { ...claims, aud: "claude-gateway" }), code },
    { name: "another member", token: alter({ sub: stranger.subject.memberId }), code },
    { name: "another organization", token: alter({ org: randomUUID() }), code },
    {
      name: "another laptop",
      token: alter({ laptop: stranger.id, key: stranger.subject.key }),
      code,
    },
    { name: "a later end", token: alter({ exp: 9_999_999_999 }), code },
    { name: "a cut signature", token: accessToken.slice(0, -1), code },
    // Only the server could sign these. The row of the secret has to agree.
    {
      name: "the secret of another member's laptop",
      token: issueFor({ key: stranger.subject.key }),
      code: "laptop_ended",
    },
    {
      name: "an unknown secret",
      token: issueFor({ key: randomBytes(32).toString("base64url") }),
      code: "laptop_ended",
    },
  ];
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

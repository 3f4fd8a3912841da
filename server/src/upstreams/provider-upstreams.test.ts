import type { upstream } from "@bursar/contract/admin/upstreams.ts";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { awsKey, toAwsCredential } from "#test/harness/platform-test.ts";

const UPSTREAMS = "/v1/admin/upstreams";
type Upstream = z.output<typeof upstream>;

const bedrock = { provider: "bedrock", region: "eu-central-1", authentication: "access_key" };
const vertex = {
  provider: "vertex",
  region: "global",
  project_id: "test-project",
  authentication: "service_account",
};
const serviceAccount = JSON.stringify(
  {
    type: "service_account",
    client_email: "gateway@test-project.iam.gserviceaccount.com",
    private_key: "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n",
  },
  null,
  2,
);

const test = base.extend(
  "create",
  ({ org }) =>
    (fields: object) =>
      org.operator.post<Upstream>(UPSTREAMS, { name: "Cloud", ...fields }),
);

test("a platform has its public address, its settings, and the public part of its credential", async ({
  h,
  org,
  create,
}) => {
  const { status, body } = await create({
    provider_settings: bedrock,
    credential: toAwsCredential(awsKey),
  });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    provider: "bedrock",
    provider_settings: bedrock,
    base_url: "https://bedrock-runtime.eu-central-1.amazonaws.com",
    has_credential: true,
    credential_hint: awsKey.id,
  });
  const read = await org.operator.get<Upstream>(`${UPSTREAMS}/${body.id}`);
  expect(read.body).toEqual(body);
  expect(JSON.stringify(read.body)).not.toContain(awsKey.secret);
  const [event] = await auditEventsOf(h.deps.database, body.id);
  expect(event?.after).toMatchObject({ provider_settings: bedrock });
});

test("the key of a service account keeps its line breaks", async ({ create }) => {
  const { body } = await create({ provider_settings: vertex, credential: serviceAccount });
  expect(body).toMatchObject({
    base_url: "https://aiplatform.googleapis.com",
    credential_hint: "gateway@test-project.iam.gserviceaccount.com",
  });
});

test("an upstream without an address and settings is a 400", async ({ create }) => {
  const { status, body } = await create({});
  expect(status).toBe(400);
  expect(body).toMatchObject({ error: { details: { fields: [{ path: "base_url" }] } } });
});

describe("a credential of another kind is a 400", () => {
  test.for([
    [bedrock, "a-key", "credential"],
    [vertex, '{"type":"external_account"}', "credential"],
    [{ ...bedrock, authentication: "api_key" }, "two words", "credential"],
    [{ ...bedrock, authentication: "machine" }, undefined, "provider_settings.authentication"],
    [undefined, "two words", "credential"],
  ] as const)("%o with %s", async ([settings, credential, path], { create }) => {
    const { status, body } = await create({
      ...(settings === undefined
        ? { base_url: "https://api.anthropic.com" }
        : { provider_settings: settings }),
      ...(credential !== undefined && { credential }),
    });
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { details: { fields: [{ path }] } } });
  });
});

test("a new region has its public address, and needs the credential again", async ({
  org,
  create,
}) => {
  const { body: made } = await create({
    provider_settings: bedrock,
    credential: toAwsCredential(awsKey),
  });
  const changed = await org.operator.post<Upstream>(`${UPSTREAMS}/${made.id}`, {
    provider_settings: { ...bedrock, region: "us-east-1" },
  });
  expect(changed.body).toMatchObject({
    base_url: "https://bedrock-runtime.us-east-1.amazonaws.com",
    provider_settings: { region: "us-east-1" },
    has_credential: false,
  });
});

test("a new map of models keeps the credential", async ({ org, create }) => {
  const { body: made } = await create({
    provider_settings: bedrock,
    credential: toAwsCredential(awsKey),
  });
  const settings = { ...bedrock, model_names: { "claude-opus-5-5": "arn:aws:bedrock:x" } };
  const changed = await org.operator.post<Upstream>(`${UPSTREAMS}/${made.id}`, {
    provider_settings: settings,
  });
  expect(changed.body).toMatchObject({ provider_settings: settings, has_credential: true });
});

test("an upstream stays on its platform", async ({ org, create }) => {
  const { body: made } = await create({ provider_settings: bedrock });
  const { status } = await org.operator.post(`${UPSTREAMS}/${made.id}`, {
    provider_settings: vertex,
  });
  expect(status).toBe(400);
});

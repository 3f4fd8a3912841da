import { z } from "zod";

// Settings of upstreams that serve Claude on a cloud platform. They hold no secrets.

const MAX_NAMES = 200;
const MAX_BETAS = 50;

const modelNames = z
  .record(
    z.string().regex(/^[A-Za-z0-9._:@~-]{1,128}$/, "expected an official model name"),
    z.string().regex(/^[\x21-\x7e]{1,512}$/, "expected a name or an ARN without spaces"),
  )
  .refine((names) => Object.keys(names).length <= MAX_NAMES, `at most ${MAX_NAMES} names`)
  .meta({
    description:
      "Names of the platform by official model name, such as an inference profile or a deployment. They have priority over the names that this server knows.",
  });

const betas = z
  .array(z.string().regex(/^[a-z0-9-]{1,64}$/, "expected a value of anthropic-beta"))
  .max(MAX_BETAS)
  .meta({
    description:
      "Values of `anthropic-beta` that are sent to the platform, besides those that this server knows.",
  });

const optional = { model_names: modelNames.optional(), betas: betas.optional() };

export const bedrockProfiles = [
  "global",
  "us",
  "eu",
  "apac",
  "jp",
  "au",
  "us-gov",
  "none",
] as const;

export const bedrockSettings = z.strictObject({
  provider: z.literal("bedrock"),
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "expected an AWS region, such as us-east-1")
    .meta({ description: "AWS region, such as `us-east-1`." }),
  api: z.enum(["invoke", "messages"]).optional().meta({
    description:
      "`invoke`: InvokeModel of the runtime, the default. `messages`: the Messages API of `bedrock-mantle`.",
  }),
  inference_profile: z.enum(bedrockProfiles).optional().meta({
    description:
      "Prefix of the model names. Default: the geography of the region. `none` sends requests to the region itself.",
  }),
  authentication: z.enum(["access_key", "api_key", "machine"]).meta({
    description:
      "`access_key`: the credential is a JSON object with `access_key_id`, `secret_access_key` and perhaps `session_token`. `api_key`: a Bedrock API key. `machine`: the credentials of this server's machine, if `BURSAR_ALLOW_MACHINE_CREDENTIALS` is set.",
  }),
  ...optional,
});

export const vertexSettings = z.strictObject({
  provider: z.literal("vertex"),
  region: z
    .string()
    .regex(
      /^(global|us|eu|[a-z]+-[a-z]+\d+)$/,
      "expected global, us, eu or a region, such as europe-west1",
    )
    .meta({
      description: "`global`, `us`, `eu` or a region, such as `europe-west1`.",
    }),
  project_id: z
    .string()
    .regex(/^[a-z][a-z0-9.:-]{2,62}$/, "expected the id of a Google Cloud project")
    .meta({ description: "Google Cloud project." }),
  authentication: z.enum(["service_account", "machine"]).meta({
    description:
      "`service_account`: the credential is the JSON key of a service account. `machine`: the credentials of this server's machine, such as workload identity, if `BURSAR_ALLOW_MACHINE_CREDENTIALS` is set.",
  }),
  ...optional,
});

export const foundrySettings = z.strictObject({
  provider: z.literal("foundry"),
  resource: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{1,62}$/, "expected the name of a Foundry resource")
    .meta({ description: "Name of the Foundry resource." }),
  authentication: z.enum(["api_key", "client_secret", "machine"]).meta({
    description:
      "`api_key`: a key of the resource. `client_secret`: the credential is a JSON object with `tenant_id`, `client_id` and `client_secret` of Microsoft Entra. `machine`: the managed identity of this server's machine, if `BURSAR_ALLOW_MACHINE_CREDENTIALS` is set.",
  }),
  is_us_data_zone: z.boolean().optional().meta({
    description: "The deployments are of the type US Data Zone Standard, which costs 10 % more.",
  }),
  ...optional,
});

export const providerSettings = z
  .discriminatedUnion("provider", [bedrockSettings, vertexSettings, foundrySettings])
  .meta({ id: "ProviderSettings" });

export type BedrockSettings = z.output<typeof bedrockSettings>;
export type VertexSettings = z.output<typeof vertexSettings>;
export type FoundrySettings = z.output<typeof foundrySettings>;
export type ProviderSettings = z.output<typeof providerSettings>;
export type Provider = ProviderSettings["provider"];

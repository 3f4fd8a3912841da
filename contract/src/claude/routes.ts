import { z } from "zod";
import { modelName } from "../ids.ts";
import { page, pageQuery } from "../paging.ts";
import { route } from "../route.ts";
import { messageBatchRoutes } from "./message-batches.ts";
import { storedObjectRoutes } from "./stored-objects.ts";

// Routes of the Claude API, for the documents. The gateway does not validate with these schemas: it reads the fields that
// decide the price, and forwards the bytes.

/** The gateway forwards the first two unchanged. */
export const claudeHeaders = z.object({
  "anthropic-version": z
    .string()
    .optional()
    .meta({ description: "Version of the Claude API. Default: 2023-06-01." }),
  "anthropic-beta": z.string().optional().meta({ description: "Betas to use, comma separated." }),
  "anthropic-workspace-id": z.string().optional().meta({
    description: "Id of the key's own workspace. Another id is a 404. Not sent to the upstream.",
  }),
});

const message = z.looseObject({ role: z.string(), content: z.unknown() });
const messageRequest = z.looseObject({
  model: modelName,
  max_tokens: z.int().min(1),
  messages: z.array(message),
  stream: z.boolean().optional(),
});

export const createMessage = route({
  operationId: "createMessage",
  method: "POST",
  path: "/v1/messages",
  summary: "Create a message",
  description:
    "The official Messages API. The server forwards the body unchanged and returns the response unchanged, also as an " +
    "event stream (`stream: true`). A spend limit of this server refuses with a 400 that begins with `You have reached " +
    "your specified` (for Claude Code with a 429 of the type `billing_error`). A rate limit refuses with a 429 that " +
    "begins with `This request would exceed your`. `error_code` tells the causes apart.",
  action: "messages:create",
  audited: null,
  streams: ["text/event-stream"],
  body: messageRequest,
  response: z.looseObject({
    id: z.string(),
    type: z.literal("message"),
    model: z.string(),
    content: z.array(z.unknown()),
    usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int() }),
  }),
});

/** Errors as the OpenAI SDKs read them. */
const chatErrorBody = z
  .looseObject({
    error: z.looseObject({
      message: z.string(),
      type: z.string(),
      code: z.string().nullish().meta({ description: "Cause of the refusal." }),
      param: z.string().nullish().meta({ description: "The first invalid field." }),
    }),
  })
  .meta({ id: "ChatError", description: "The error body of the OpenAI API." });

export const createChatCompletion = route({
  operationId: "createChatCompletion",
  method: "POST",
  path: "/v1/chat/completions",
  summary: "Create a chat completion",
  description:
    "The official compatibility layer for the OpenAI SDKs. The request becomes a message, with its limits and its cost. " +
    "Fields that the layer does not support are ignored. Errors have the form of the OpenAI API.",
  action: "messages:create",
  audited: null,
  streams: ["text/event-stream"],
  body: z.looseObject({
    model: modelName,
    messages: z.array(z.looseObject({ role: z.string() })),
    max_completion_tokens: z.int().min(1).optional(),
    stream: z.boolean().optional(),
  }),
  response: z.looseObject({
    id: z.string(),
    object: z.literal("chat.completion"),
    model: z.string(),
    choices: z.array(z.unknown()),
    usage: z.looseObject({ prompt_tokens: z.int(), completion_tokens: z.int() }),
  }),
  errorBody: chatErrorBody,
});

export const countMessageTokens = route({
  operationId: "countMessageTokens",
  method: "POST",
  path: "/v1/messages/count_tokens",
  summary: "Count the tokens of a message",
  description: "Returns the number of input tokens of a message. The call is free.",
  action: "messages:count",
  audited: null,
  body: messageRequest.omit({ max_tokens: true, stream: true }),
  response: z.looseObject({ input_tokens: z.int() }),
});

const model = z.looseObject({ id: z.string(), type: z.literal("model"), display_name: z.string() });

export const listModels = route({
  operationId: "listModels",
  method: "GET",
  path: "/v1/models",
  summary: "List models",
  description:
    "Returns the upstream's list of models. A key with allowed models gets only those, in pages of the same form.",
  action: "models:read",
  audited: null,
  query: z.strictObject(pageQuery),
  response: page(model),
});

export const getModel = route({
  operationId: "getModel",
  method: "GET",
  path: "/v1/models/{model_id}",
  summary: "Get a model",
  action: "models:read",
  audited: null,
  params: z.strictObject({ model_id: modelName }),
  response: model,
});

export const claudeRoutes = [
  createMessage,
  createChatCompletion,
  countMessageTokens,
  listModels,
  getModel,
  ...messageBatchRoutes,
  ...storedObjectRoutes,
] as const;

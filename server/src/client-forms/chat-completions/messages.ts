import { refuseField } from "#src/domain/refuse-field.ts";
import { parseJson } from "#src/lib/parse-json.ts";
import {
  isAbsent,
  isObject,
  type JsonObject,
  readList,
  readObject,
  readText,
} from "./read-fields.ts";

// Messages of a chat completion become those of the Claude API, as the official compatibility layer does.

export interface OfficialMessage {
  role: "user" | "assistant";
  content: string | JsonObject[];
}

export interface Conversation {
  /** All system and developer messages, one below the other. Null: none. */
  system: string | null;
  messages: OfficialMessage[];
}

export function toConversation(value: unknown): Conversation {
  const system: string[] = [];
  const messages: OfficialMessage[] = [];
  const calls = new FunctionCalls();
  readList(value, "messages").forEach((item, index) => {
    const path = `messages.${index}`;
    const message = readObject(item, path);
    const { role, content } = message;
    switch (role) {
      case "system":
      case "developer":
        system.push(...readTexts(content, `${path}.content`));
        return;
      case "user":
        messages.push({ role, content: toUserContent(content, `${path}.content`) });
        return;
      case "assistant":
        messages.push({ role, content: toAssistantContent(message, path, calls) });
        return;
      case "tool": {
        const id = readText(message.tool_call_id, `${path}.tool_call_id`);
        addToolResult(messages, id, toTextContent(content, `${path}.content`));
        return;
      }
      case "function": {
        const id = calls.findId(readText(message.name, `${path}.name`), `${path}.name`);
        addToolResult(messages, id, toTextContent(content, `${path}.content`));
        return;
      }
      default:
        throw refuseField(
          `${path}.role`,
          "Input should be 'system', 'developer', 'user', 'assistant', 'tool' or 'function'",
        );
    }
  });
  return { system: system.length === 0 ? null : system.join("\n"), messages };
}

/** Results of one turn are one message, because the Claude API wants them together after their calls. */
function addToolResult(
  messages: OfficialMessage[],
  id: string,
  content: string | JsonObject[],
): void {
  const block: JsonObject = { type: "tool_result", tool_use_id: id, content };
  const last = messages.at(-1);
  const isResults =
    last?.role === "user" &&
    typeof last.content !== "string" &&
    last.content[0]?.type === "tool_result";
  if (isResults && typeof last.content !== "string") last.content.push(block);
  else messages.push({ role: "user", content: [block] });
}

/** Reads a text, or the texts of parts. Other parts are ignored, as in the official layer. */
function readTexts(content: unknown, path: string): string[] {
  if (typeof content === "string") return [content];
  const texts: string[] = [];
  readList(content, path).forEach((item, index) => {
    const part = readObject(item, `${path}.${index}`);
    if (part.type === "text") texts.push(readText(part.text, `${path}.${index}.text`));
  });
  return texts;
}

function toTextContent(content: unknown, path: string): string | JsonObject[] {
  return typeof content === "string" ? content : toTextBlocks(readTexts(content, path));
}

function toTextBlocks(texts: readonly string[]): JsonObject[] {
  return texts.map((text) => ({ type: "text", text }));
}

function toUserContent(content: unknown, path: string): string | JsonObject[] {
  if (typeof content === "string") return content;
  const blocks: JsonObject[] = [];
  readList(content, path).forEach((item, index) => {
    const part = readObject(item, `${path}.${index}`);
    const block = toUserBlock(part, `${path}.${index}`);
    if (block !== null) blocks.push(block);
  });
  return blocks;
}

/** Null: a part that the official layer ignores, such as audio and files. */
function toUserBlock(part: JsonObject, path: string): JsonObject | null {
  if (part.type === "text") return { type: "text", text: readText(part.text, `${path}.text`) };
  if (part.type !== "image_url") return null;
  const image = readObject(part.image_url, `${path}.image_url`);
  const url = readText(image.url, `${path}.image_url.url`);
  return { type: "image", source: toImageSource(url, `${path}.image_url.url`) };
}

const DATA_URL = /^data:([^;,]{1,100});base64,/i;

function toImageSource(url: string, path: string): JsonObject {
  if (!/^data:/i.test(url)) return { type: "url", url };
  const head = DATA_URL.exec(url);
  if (head === null) throw refuseField(path, "A data URL needs a media type and base64 data");
  return { type: "base64", media_type: head[1]?.toLowerCase(), data: url.slice(head[0].length) };
}

function toAssistantContent(
  message: JsonObject,
  path: string,
  calls: FunctionCalls,
): string | JsonObject[] {
  const { content, tool_calls: toolCalls, function_call: functionCall } = message;
  const isCallless = isAbsent(toolCalls) && isAbsent(functionCall);
  if (isCallless && typeof content === "string") return content;
  const texts = isAbsent(content) ? [] : readTexts(content, `${path}.content`);
  const blocks = toTextBlocks(texts.filter((text) => text !== ""));
  if (!isAbsent(toolCalls)) {
    readList(toolCalls, `${path}.tool_calls`).forEach((item, index) => {
      blocks.push(toToolUse(item, `${path}.tool_calls.${index}`));
    });
  }
  if (!isAbsent(functionCall)) {
    const called = readObject(functionCall, `${path}.function_call`);
    const name = readText(called.name, `${path}.function_call.name`);
    const input = readArguments(called.arguments, `${path}.function_call.arguments`);
    blocks.push({ type: "tool_use", id: calls.addCall(name), name, input });
  }
  return blocks;
}

function toToolUse(item: unknown, path: string): JsonObject {
  const call = readObject(item, path);
  const called = readObject(call.function, `${path}.function`);
  return {
    type: "tool_use",
    id: readText(call.id, `${path}.id`),
    name: readText(called.name, `${path}.function.name`),
    input: readArguments(called.arguments, `${path}.function.arguments`),
  };
}

/** Arguments are a text with a JSON object. An empty text means no arguments. */
function readArguments(value: unknown, path: string): JsonObject {
  const text = readText(value, path);
  if (text.trim() === "") return {};
  const parsed = parseJson(text);
  if (isObject(parsed)) return parsed;
  throw refuseField(path, "Input should be a JSON object in a string");
}

/** Ids for calls of deprecated functions, whose results name the function only. */
class FunctionCalls {
  readonly #ids = new Map<string, string>();
  #count = 0;

  addCall(name: string): string {
    const id = `call_${this.#count}`;
    this.#count += 1;
    this.#ids.set(name, id);
    return id;
  }

  /** The id of the last call of this function. */
  findId(name: string, path: string): string {
    const id = this.#ids.get(name);
    if (id === undefined) throw refuseField(path, "No earlier message calls this function");
    return id;
  }
}

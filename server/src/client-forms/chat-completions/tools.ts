import { refuseField } from "#src/domain/refuse-field.ts";
import {
  isAbsent,
  isObject,
  type JsonObject,
  readList,
  readObject,
  readText,
} from "./read-fields.ts";

// Tools and the deprecated functions of a chat completion become tools of the Claude API.

export interface OfficialTools {
  tools: JsonObject[];
  tool_choice?: JsonObject;
}

/** True if the client uses the deprecated functions. Its answer then has a `function_call`. */
export function usesFunctions(body: JsonObject): boolean {
  return isAbsent(body.tools) && !isAbsent(body.functions);
}

/** Null: the request has no tools. */
export function toTools(body: JsonObject): OfficialTools | null {
  const tools = usesFunctions(body) ? readFunctions(body.functions) : readTools(body.tools);
  if (tools.length === 0) return null;
  const choice = usesFunctions(body)
    ? readFunctionCall(body.function_call)
    : readToolChoice(body.tool_choice);
  // An answer has one `function_call` at most.
  const isSingle = usesFunctions(body) || body.parallel_tool_calls === false;
  if (!isSingle) return choice === null ? { tools } : { tools, tool_choice: choice };
  const single = choice ?? { type: "auto" };
  if (single.type === "none") return { tools, tool_choice: single };
  return { tools, tool_choice: { ...single, disable_parallel_tool_use: true } };
}

function readTools(value: unknown): JsonObject[] {
  if (isAbsent(value)) return [];
  return readList(value, "tools").map((item, index) => {
    const path = `tools.${index}`;
    const tool = readObject(item, path);
    if (tool.type !== "function") {
      throw refuseField(`${path}.type`, "Input should be 'function'");
    }
    return toTool(tool.function, `${path}.function`);
  });
}

function readFunctions(value: unknown): JsonObject[] {
  return readList(value, "functions").map((item, index) => toTool(item, `functions.${index}`));
}

function toTool(value: unknown, path: string): JsonObject {
  const { name, description, parameters } = readObject(value, path);
  return {
    name: readText(name, `${path}.name`),
    ...(isAbsent(description) ? {} : { description: readText(description, `${path}.description`) }),
    // A function without parameters has an empty list of them.
    input_schema: isAbsent(parameters)
      ? { type: "object", properties: {} }
      : readObject(parameters, `${path}.parameters`),
  };
}

/** Null: the model decides, as by default. */
function readToolChoice(value: unknown): JsonObject | null {
  if (isAbsent(value)) return null;
  if (value === "auto") return { type: "auto" };
  if (value === "none") return { type: "none" };
  if (value === "required") return { type: "any" };
  if (isObject(value) && value.type === "function") {
    const named = readObject(value.function, "tool_choice.function");
    return { type: "tool", name: readText(named.name, "tool_choice.function.name") };
  }
  throw refuseField("tool_choice", "Input should be 'auto', 'none', 'required' or a function");
}

function readFunctionCall(value: unknown): JsonObject | null {
  if (isAbsent(value)) return null;
  if (value === "auto") return { type: "auto" };
  if (value === "none") return { type: "none" };
  const named = readObject(value, "function_call");
  return { type: "tool", name: readText(named.name, "function_call.name") };
}

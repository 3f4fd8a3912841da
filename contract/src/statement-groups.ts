/** Labels by which a statement can be split. This file has no imports, so that the console can load it. */
export const statementGroups = [
  "cost_center",
  "workspace",
  "group",
  "member",
  "api_key",
  "model",
] as const;

import type { statementGroups } from "@bursar/contract/statement-groups.ts";
import type { Answer } from "../../api-client.ts";
import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";
import { type StatementSearch, toScope } from "./search.ts";

export type ListedStatement = ItemOf<"listStatements">;
export type Statement = Answer<"getStatement">;
export type StatementRow = ItemOf<"listStatementRows">;
export type ContractTerm = Answer<"listContractTerms">["data"][number];
export type StatementGroup = (typeof statementGroups)[number];

export const useStatements = () => useList("listStatements", {});

export const useStatement = (month: string, search: StatementSearch) =>
  useApi("getStatement", { params: { month }, query: toScope(search) }, { isPreviousShown: true });

export const useStatementRows = (
  month: string,
  search: StatementSearch,
  group_by: StatementGroup,
) => useList("listStatementRows", { params: { month }, query: { ...toScope(search), group_by } });

export const useStatementSettings = () => useApi("getStatementSettings", {});
export const useUpdateSettings = () =>
  useChange("updateStatementSettings", ["getStatementSettings", "listStatementRows"]);

const changedByTerms = [
  "listContractTerms",
  "listStatements",
  "getStatement",
  "listStatementRows",
] as const;
export const useContractTerms = () => useApi("listContractTerms", {});
export const useCreateTerm = () => useChange("createContractTerm", changedByTerms);
export const useDeleteTerm = () => useChange("deleteContractTerm", changedByTerms);

import type { Exchange, SimulatorDeps } from "../exchange.ts";
import {
  answerBatch,
  answerBatchCancellation,
  answerBatchCreation,
  answerBatchDeletion,
  answerBatches,
  answerBatchResults,
} from "./answer-batches.ts";
import {
  answerFile,
  answerFileContent,
  answerFileDeletion,
  answerFiles,
  answerUpload,
} from "./answer-files.ts";
import {
  answerSkill,
  answerSkillCreation,
  answerSkillDeletion,
  answerSkills,
  answerVersion,
  answerVersionContent,
  answerVersionCreation,
  answerVersionDeletion,
  answerVersions,
} from "./answer-skills.ts";

type Answer = (deps: SimulatorDeps, exchange: Exchange, ...ids: string[]) => Promise<void>;

/** Routes of objects. `*` is an id. */
const routes: Record<string, Answer> = {
  "POST /v1/files": answerUpload,
  "GET /v1/files": answerFiles,
  "GET /v1/files/*": answerFile,
  "GET /v1/files/*/content": answerFileContent,
  "DELETE /v1/files/*": answerFileDeletion,
  "POST /v1/messages/batches": answerBatchCreation,
  "GET /v1/messages/batches": answerBatches,
  "GET /v1/messages/batches/*": answerBatch,
  "DELETE /v1/messages/batches/*": answerBatchDeletion,
  "POST /v1/messages/batches/*/cancel": answerBatchCancellation,
  "GET /v1/messages/batches/*/results": answerBatchResults,
  "POST /v1/skills": answerSkillCreation,
  "GET /v1/skills": answerSkills,
  "GET /v1/skills/*": answerSkill,
  "DELETE /v1/skills/*": answerSkillDeletion,
  "POST /v1/skills/*/versions": answerVersionCreation,
  "GET /v1/skills/*/versions": answerVersions,
  "GET /v1/skills/*/versions/*": answerVersion,
  "DELETE /v1/skills/*/versions/*": answerVersionDeletion,
  "GET /v1/skills/*/versions/*/content": answerVersionContent,
};

const patterns = Object.entries(routes).map(([route, answer]) => {
  const source = route.replaceAll("*", "([^/]+)");
  return { pattern: new RegExp(`^${source}$`), answer };
});

/** Finds the answer to a request for objects, or null. */
export function findObjectAnswer(
  method: string,
  path: string,
): ((deps: SimulatorDeps, exchange: Exchange) => Promise<void>) | null {
  for (const { pattern, answer } of patterns) {
    const found = pattern.exec(`${method} ${path}`);
    if (found !== null) return (deps, exchange) => answer(deps, exchange, ...found.slice(1));
  }
  return null;
}

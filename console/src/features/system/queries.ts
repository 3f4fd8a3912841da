import type { Answer as AnswerOf } from "../../api-client.ts";
import { useApi, useChange } from "../../queries.ts";

export type Answer = AnswerOf<"getSystem">;

const REFRESH_MS = 5_000;

export const useSystem = () =>
  useApi("getSystem", {}, { everyMs: REFRESH_MS, isPreviousShown: true });
export const useSendTestMail = () => useChange("sendTestMail", ["listMail", "getSystem"]);

import { Badge } from "../../ui/badge.tsx";
import { statusWords } from "./batch-words.ts";
import type { MessageBatch } from "./queries.ts";

export function BatchStatus({ batch }: { batch: Pick<MessageBatch, "status"> }) {
  const { tone, label } = statusWords[batch.status];
  return <Badge tone={tone}>{label}</Badge>;
}

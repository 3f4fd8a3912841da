import { Activity } from "lucide-react";
import type { Answer } from "../../api-client.ts";
import { Badge } from "../../ui/badge.tsx";
import { IconButton, Spinner } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { formatCount } from "../../ui/format.ts";
import { Facts } from "../../ui/page.tsx";
import { showToast } from "../../ui/toast.ts";
import { useTestUpstream } from "./queries.ts";

export interface Tested {
  name: string;
  answer: Answer<"testUpstream">;
}

interface TestButtonProps {
  upstream: { id: string; name: string };
  onTested: (tested: Tested) => void;
}

/** Sends one free request to an upstream. */
export function TestButton({ upstream: { id, name }, onTested }: TestButtonProps) {
  const test = useTestUpstream();
  const send = () =>
    test.mutate(
      { params: { upstream_id: id } },
      {
        onSuccess: (answer) => onTested({ name, answer }),
        onError: ({ message }) => showToast(message),
      },
    );
  return (
    <IconButton
      label={`Test ${name}`}
      aria-busy={test.isPending || undefined}
      aria-disabled={test.isPending || undefined}
      onClick={() => test.isPending || send()}
    >
      {test.isPending ? <Spinner /> : <Activity size={16} />}
    </IconButton>
  );
}

/** Result of a test. */
export function TestDialog({ tested, onClose }: { tested: Tested; onClose: () => void }) {
  const { name, answer } = tested;
  return (
    <Dialog
      title={answer.is_working ? `${name} works` : `${name} does not work`}
      description="Answer to a request that costs nothing."
      isOpen
      onClose={onClose}
    >
      <Facts
        items={[
          [
            "Answer",
            <Badge key="answer" tone={answer.is_working ? "good" : "bad"}>
              {answer.http_status === null ? "no answer" : `HTTP ${answer.http_status}`}
            </Badge>,
          ],
          ["Duration", `${formatCount(answer.latency_ms)} ms`],
          ...(answer.problem === null ? [] : [["Problem", answer.problem] as const]),
        ]}
      />
    </Dialog>
  );
}

import { Button } from "../../ui/button.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { formatCount } from "../../ui/format.ts";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { type AssignedItem, useDecide } from "./queries.ts";
import { formatAccesses } from "./words.ts";

interface AcceptProps {
  reviewId: string;
  /** Undecided items that the member can decide about. */
  open: readonly AssignedItem[];
  onClose: () => void;
}

export function AcceptDialog({ reviewId, open, onClose }: AcceptProps) {
  const decide = useDecide();
  const toRemove = open.filter(({ recommendation }) => recommendation === "remove").length;
  const accept = async () => {
    const params = { access_review_id: reviewId };
    const { results } = await decide.mutateAsync({
      params,
      body: { accept_recommendations: true },
    });
    const decided = results.filter(({ outcome }) => outcome === "decided").length;
    showToast(`${formatAccesses(decided)} decided as recommended`);
    onClose();
  };
  return (
    <Dialog title="Accept recommendations" isOpen onClose={onClose}>
      <p className="text-quiet">
        {formatAccesses(open.length)} have no decision yet. As recommended,{" "}
        <strong className="font-semibold text-ink">
          {formatCount(toRemove)} {toRemove === 1 ? "is" : "are"} removed and{" "}
          {formatCount(open.length - toRemove)} kept
        </strong>
        . Access ends only when the review is closed. Each decision can be changed until then.
      </p>
      <FormError error={decide.error} />
      <DialogActions>
        <CancelButton />
        <Button
          kind="primary"
          isBusy={decide.isPending}
          // The mutation shows its own error.
          onClick={() => void accept().catch(() => undefined)}
        >
          Accept recommendations
        </Button>
      </DialogActions>
    </Dialog>
  );
}

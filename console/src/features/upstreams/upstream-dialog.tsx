import { providerWords } from "../../kit/upstreams/provider-words.ts";
import type { Upstream } from "../../kit/upstreams/queries.ts";
import { ChangeConsequences } from "../../kit/upstreams/upstream-consequences.tsx";
import { UpstreamFields } from "../../kit/upstreams/upstream-fields.tsx";
import { useUpstreamForm } from "../../kit/upstreams/use-upstream-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";

interface UpstreamDialogProps {
  /** Upstream to change. Null: a new one. */
  upstream: Upstream | null;
  /** The organization has no other upstream. */
  isOnly: boolean;
  onClose: () => void;
}

export function UpstreamDialog(props: UpstreamDialogProps) {
  return (
    <Dialog
      title={props.upstream ? "Change upstream" : "Store upstream"}
      description={props.upstream && providerWords[props.upstream.provider]}
      isOpen
      onClose={props.onClose}
    >
      <UpstreamForm {...props} />
    </Dialog>
  );
}

function UpstreamForm({ upstream, isOnly, onClose }: UpstreamDialogProps) {
  const changeForm = useUpstreamForm(upstream, onClose);
  const { form } = changeForm;
  return (
    <DialogForm form={changeForm} action={upstream ? "Change upstream" : "Store upstream"}>
      <UpstreamFields form={form} upstream={upstream} />
      {upstream && <ChangeConsequences upstream={upstream} values={form.watch()} isOnly={isOnly} />}
    </DialogForm>
  );
}

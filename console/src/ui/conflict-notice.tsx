import { Button } from "./button.tsx";
import { CancelButton, DialogActions } from "./dialog.tsx";
import { RelativeTime } from "./relative-time.tsx";

interface ConflictProps {
  /** Name of the changed thing: "limit". */
  what: string;
  /** Author and time of the other change. Null: this member may not read the audit log. */
  by: { actor: string; at: string } | null;
  /** Each field with its current and its entered value. */
  fields: readonly (readonly [label: string, now: string, own: string])[];
  happened: "changed" | "removed" | "set";
  isBusy: boolean;
  /** Loads the current values into the form. */
  onLoad: () => void;
  /** Replaces the current values by the entered ones. */
  onReplace: () => void;
}

/** Replaces a dialog's buttons after a concurrent change. Shows the current values beside the entered ones. */
export function ConflictNotice(props: ConflictProps) {
  const { what, by, fields, happened, isBusy, onLoad, onReplace } = props;
  const isGone = happened === "removed";
  return (
    <div className="grid gap-3">
      <div role="alert" className="grid gap-3 rounded-md bg-warn-wash px-3.5 py-3 text-sm">
        <p className="text-warn">
          <strong className="font-semibold">{by?.actor ?? "Another member"}</strong> {happened} this{" "}
          {what} {by ? <RelativeTime at={by.at} /> : "in the meantime"}. Your changes are not saved
          yet.
        </p>
        <table className="w-full border-collapse">
          <thead>
            <tr className="text-left text-quiet">
              <th scope="col" className="sr-only">
                Field
              </th>
              <th scope="col" className="py-1 pr-4 font-normal">
                Current
              </th>
              <th scope="col" className="py-1 font-normal">
                Yours
              </th>
            </tr>
          </thead>
          <tbody>
            {fields.map(([label, now, own]) => (
              <tr key={label} className="border-t border-line">
                <th scope="row" className="py-1.5 pr-4 text-left font-normal text-quiet">
                  {label}
                </th>
                <td className="figures py-1.5 pr-4">{now}</td>
                <td className={`figures py-1.5 ${now === own ? "" : "font-semibold"}`}>{own}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <DialogActions>
        <span className="mr-auto">
          <CancelButton />
        </span>
        {!isGone && <Button onClick={onLoad}>Load current {what}</Button>}
        <Button kind="primary" isBusy={isBusy} onClick={onReplace}>
          {isGone ? `Set ${what} again` : "Replace anyway"}
        </Button>
      </DialogActions>
    </div>
  );
}

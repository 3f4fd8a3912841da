import type { FileError } from "@bursar/contract/error-facts.ts";
import { useState } from "react";
import { ApiError } from "../../api-client.ts";
import { Button } from "../../ui/button.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { showToast } from "../../ui/toast.ts";
import { type TagImport, useImportTags } from "./queries.ts";

/** Chooses a file, shows its faults or changes, and imports it. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const [csv, setCsv] = useState<string | null>(null);
  const [preview, setPreview] = useState<TagImport | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const change = useImportTags();
  const send = async (text: string, isDryRun: boolean) => {
    setError(null);
    try {
      const input = { query: { dry_run: isDryRun }, body: { csv: text } };
      const result = await change.mutateAsync(input);
      if (isDryRun) return setPreview(result);
      showToast(`Imported ${formatPlural(result.changed_tag_count, "tag change")}`);
      onClose();
    } catch (failure) {
      setError(failure as Error);
    }
  };
  const choose = async (file: File | undefined) => {
    setPreview(null);
    setError(null);
    // The server refuses NUL in JSON. In a file it names the line of the replacement.
    const text = file ? (await file.text()).replaceAll("\0", "\uFFFD") : null;
    setCsv(text);
    if (text !== null) await send(text, true);
  };
  const count = preview?.changed_tag_count ?? 0;
  return (
    <Dialog
      title="Import CSV"
      description="Export the file, then change its cells. An empty cell removes the tag. The heading of a new column begins with tag:, such as tag:cost_center."
      isOpen
      isWide
      isForgetful
      onClose={onClose}
    >
      <Field label="CSV file" hint="The next step shows all changes. Nothing is changed yet.">
        {(control) => (
          <Input
            {...control}
            type="file"
            accept=".csv,text/csv"
            onChange={({ target }) => void choose(target.files?.[0])}
          />
        )}
      </Field>
      <div aria-live="polite" className="grid gap-5">
        {change.isPending && <p className="text-sm text-quiet">Reading the file…</p>}
        {error !== null && <Faults error={error} />}
        {preview && <Preview preview={preview} />}
      </div>
      <DialogActions>
        <CancelButton />
        <Button
          kind="primary"
          disabled={count === 0}
          isBusy={change.isPending}
          onClick={() => csv !== null && void send(csv, false)}
        >
          {count === 0 ? "Import changes" : `Import ${formatPlural(count, "change")}`}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function Faults({ error }: { error: Error }) {
  const faults = error instanceof ApiError ? error.fileErrors : [];
  if (!(error instanceof ApiError) || faults.length === 0) return <FormError error={error} />;
  const rest = error.fileErrorCount - faults.length;
  return (
    <div className="grid gap-3">
      <p role="alert" className="rounded-md bg-bad-wash px-3 py-2 text-sm text-bad">
        The file has {formatPlural(error.fileErrorCount, "fault")}. Nothing was changed. Correct the
        file and choose it again.
      </p>
      <Table
        label="Faults of the file"
        columns={faultColumns}
        rows={faults}
        rowKey={({ line, column, code }) => `${line} ${column} ${code}`}
      />
      {rest > 0 && <p className="text-sm text-quiet">{formatPlural(rest, "more fault")}</p>}
    </div>
  );
}

const faultColumns: Column<FileError>[] = [
  { id: "line", header: "Line", isNumeric: true, cell: ({ line }) => line },
  {
    id: "message",
    header: "Fault",
    cell: ({ column, message }) => (
      <span className="grid">
        {column !== null && <span className="truncate font-medium">{column}</span>}
        <span className="text-pretty">{message}</span>
      </span>
    ),
  },
];

function Preview({ preview }: { preview: TagImport }) {
  const { changes, changed_row_count, changed_tag_count, new_names, row_count } = preview;
  if (changed_tag_count === 0) {
    return <p className="text-sm">No difference in {formatPlural(row_count, "row")}.</p>;
  }
  const rest = changed_tag_count - changes.length;
  return (
    <div className="grid gap-3">
      <p className="text-sm">
        {formatPlural(changed_tag_count, "change")} in {formatPlural(changed_row_count, "row")} of{" "}
        {row_count}.
      </p>
      {new_names.length > 0 && (
        <p className="rounded-md bg-warn-wash px-3 py-2 text-sm text-warn">
          New {new_names.length === 1 ? "name" : "names"}: {new_names.join(", ")}
        </p>
      )}
      <Table
        label="Changes of the file"
        columns={changeColumns}
        rows={changes}
        rowKey={({ id, tag }) => `${id} ${tag}`}
      />
      {rest > 0 && <p className="text-sm text-quiet">{formatPlural(rest, "more change")}</p>}
    </div>
  );
}

/** Long text ends in an ellipsis on narrow screens. */
const cut = "truncate max-sm:max-w-28";

const changeColumns: Column<TagImport["changes"][number]>[] = [
  {
    id: "name",
    header: "Workspace or key",
    cell: ({ name, kind }) => (
      <span className="grid">
        <span className={`font-medium ${cut}`}>{name}</span>
        <span className="text-xs text-quiet">{kind === "workspace" ? "Workspace" : "API key"}</span>
      </span>
    ),
  },
  { id: "tag", header: "Tag", cell: ({ tag }) => <span className={cut}>{tag}</span> },
  {
    id: "change",
    header: "Change",
    cell: ({ before, after }) => (
      <span className="break-words">
        {before !== null && <span className="text-quiet">{before} → </span>}
        {after ?? "removed"}
      </span>
    ),
  },
];

import { useSearch } from "@tanstack/react-router";
import { Download, Upload } from "lucide-react";
import { useMemo, useState } from "react";
import { download } from "../../api-client.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { useTags } from "../../kit/usage/tags.ts";
import { useSaveFile } from "../../kit/use-save-file.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Page } from "../../ui/page.tsx";
import { EmptyState, FormError, SkeletonRows } from "../../ui/states.tsx";
import { ImportDialog } from "./import-dialog.tsx";
import { useTagCost } from "./queries.ts";
import type { TagsSearch } from "./search.ts";
import { NameTable, ValueSection } from "./tables.tsx";
import { listTagNames } from "./tag-names.ts";

/** Tags of workspaces and keys, with the cost of this month. */
export function TagsPage() {
  const may = useMay();
  const maySeeCost = may("usage:read");
  const tags = useTags();
  const cost = useTagCost(maySeeCost);
  const search: TagsSearch = useSearch({ strict: false });
  const names = useMemo(
    () => listTagNames(tags.data?.items ?? [], cost.data),
    [tags.data, cost.data],
  );
  const chosen = names.find(({ name }) => name === search.name) ?? names[0];
  const error = tags.error ?? cost.error;
  if (error) {
    const retry = () => void Promise.all([tags.refetch(), cost.refetch()]);
    return <LoadError error={error} onRetry={retry} />;
  }
  const isPending = tags.isPending || (maySeeCost && cost.isPending);
  return (
    <Page
      title="Tags"
      guide="tags"
      lead="Names with values on workspaces and keys, such as a cost centre. A request has the tags of its key and its workspace."
      actions={<FileButtons mayImport={may("api_keys:write")} />}
    >
      {isPending ? (
        <SkeletonRows />
      ) : chosen === undefined ? (
        <NoTags />
      ) : (
        <div className="grid gap-12">
          <NameTable names={names} chosen={chosen.name} hasCost={maySeeCost} />
          <ValueSection name={chosen} hasCost={maySeeCost} />
        </div>
      )}
    </Page>
  );
}

function NoTags() {
  return (
    <EmptyState
      title="No tag yet"
      code={<CodeBlock text="./bursar workspaces update Research --tags cost_center=4711" />}
    >
      Set tags in the settings of a workspace, or export a file, fill its columns and import it.
    </EmptyState>
  );
}

function FileButtons({ mayImport }: { mayImport: boolean }) {
  const [isImporting, setIsImporting] = useState(false);
  const { busy, error, save } = useSaveFile<"csv">();
  return (
    <>
      <Button
        isBusy={busy !== null}
        onClick={() => void save("csv", () => download("exportTags", {}))}
      >
        <Download size={16} /> Export CSV
      </Button>
      {mayImport && (
        <Button kind="primary" data-create onClick={() => setIsImporting(true)}>
          <Upload size={16} /> Import CSV…
        </Button>
      )}
      <FormError error={error} />
      {isImporting && <ImportDialog onClose={() => setIsImporting(false)} />}
    </>
  );
}

import { Download } from "lucide-react";
import { download } from "../../api-client.ts";
import { Button } from "../../ui/button.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { FormError } from "../../ui/states.tsx";
import { useSaveFile } from "../use-save-file.ts";
import type { Range } from "./range.ts";
import { type ReportInput, toQuery } from "./report-input.ts";
import { isOfWholeHours } from "./search-range.ts";

const bucketNames = { "1m": "minute", "1h": "hour", "1d": "day" } as const;

interface DownloadProps {
  asked: ReportInput;
  range: Range;
}

/** Downloads the table, or the values of every bar, as a CSV file of the server. */
export function ReportDownload({ asked, range }: DownloadProps) {
  const { busy, error, save: saveAs } = useSaveFile<"csv" | "jsonl">();
  const save = (bucket: Range["bucket"] | "none", format: "csv" | "jsonl") => {
    const query = { ...toQuery(asked, range), bucket, format };
    return saveAs(format, () =>
      asked.kind === "usage"
        ? download("exportUsage", { query })
        : download("exportCost", { query }),
    );
  };
  const each = `every ${bucketNames[range.bucket]}`;
  return (
    <>
      <FormError error={error} />
      <Menu
        trigger={
          <Button kind="quiet" isBusy={busy !== null}>
            <Download size={15} /> Save…
          </Button>
        }
      >
        {isOfWholeHours(range) && (
          <>
            <MenuItem onSelect={() => void save("none", "csv")}>Table as CSV</MenuItem>
            <MenuItem onSelect={() => void save("none", "jsonl")}>Table as JSONL</MenuItem>
          </>
        )}
        <MenuItem onSelect={() => void save(range.bucket, "csv")}>Groups of {each} as CSV</MenuItem>
        <MenuItem onSelect={() => void save(range.bucket, "jsonl")}>
          Groups of {each} as JSONL
        </MenuItem>
      </Menu>
    </>
  );
}

import { Download } from "lucide-react";
import { download } from "../../api-client.ts";
import { useSaveFile } from "../../kit/use-save-file.ts";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Section } from "../../ui/page.tsx";
import { FormError } from "../../ui/states.tsx";
import type { Review } from "./queries.ts";

/** Downloads of the signed evidence and of the CSV file, and verification. */
export function Evidence({ review }: { review: Review }) {
  const { busy, error, save: saveAs } = useSaveFile<"json" | "csv">();
  const params = { access_review_id: review.id };
  const fileName = `evidence-${review.id}.json`;
  const save = (format: "json" | "csv") =>
    saveAs(format, async () => {
      if (format === "csv") return download("exportAccessReviewItems", { params });
      // The signature covers the exact bytes, so the file is saved unchanged.
      const { file } = await download("getAccessReviewEvidence", { params });
      return { file, name: fileName };
    });
  return (
    <Section
      title="Evidence"
      lead="All access, decisions and results of the review, signed with the company’s key. This command on the server verifies the file:"
      actions={
        <>
          <Button isBusy={busy === "json"} onClick={() => void save("json")}>
            <Download size={15} /> Save signed evidence
          </Button>
          <Button isBusy={busy === "csv"} onClick={() => void save("csv")}>
            <Download size={15} /> Save as CSV
          </Button>
        </>
      }
    >
      <FormError error={error} />
      <CodeBlock text={`./bursar reviews verify ${fileName}`} what="command" />
      <p className="text-sm text-quiet">
        The CSV file is not signed. OpenSSL and the public key verify the evidence without this
        server. The guide to access reviews shows the command.
      </p>
    </Section>
  );
}

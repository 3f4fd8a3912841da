import { roleNames } from "@bursar/contract/permissions.ts";
import { useState } from "react";
import type { Answer } from "../../api-client.ts";
import { ConfirmChange } from "../../kit/confirm-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Facts, Page, Section } from "../../ui/page.tsx";
import { EmptyState, FormError, SkeletonRows } from "../../ui/states.tsx";
import { ClaimsForm } from "./claims-form.tsx";
import { DirectoryForm } from "./directory-form.tsx";
import { NewDirectory } from "./new-directory.tsx";
import { type Directory, useDeleteDirectory, useDirectories, useTestDirectory } from "./queries.ts";

/** Identity providers of the company. */
export function DirectoriesPage() {
  const directories = useDirectories();
  const mayChange = useMay()("directories:write");
  const [isAdding, setIsAdding] = useState(false);
  if (directories.error) {
    return <LoadError error={directories.error} onRetry={() => void directories.refetch()} />;
  }
  const add = mayChange && !isAdding && (
    <Button kind="primary" data-create onClick={() => setIsAdding(true)}>
      Create directory…
    </Button>
  );
  const items = directories.data?.items ?? [];
  return (
    <Page
      title="Directories"
      lead="Your company’s identity provider. People sign in there by OpenID Connect, and become members at the first sign-in."
      actions={items.length > 0 && add}
    >
      <div className="grid gap-12">
        {isAdding && (
          <NewDirectory onSaved={() => setIsAdding(false)} onCancel={() => setIsAdding(false)} />
        )}
        {directories.isPending && <SkeletonRows rows={4} />}
        {directories.data && items.length === 0 && !isAdding && (
          <EmptyState title="No directory yet" action={add}>
            Members sign in with a password or a passkey.
          </EmptyState>
        )}
        {items.map((directory) => (
          <StoredDirectory key={directory.id} directory={directory} mayChange={mayChange} />
        ))}
      </div>
    </Page>
  );
}

function StoredDirectory({ directory, mayChange }: { directory: Directory; mayChange: boolean }) {
  const [isDeleting, setIsDeleting] = useState(false);
  const remove = useDeleteDirectory();
  return (
    <Section
      title={directory.name}
      actions={
        <Badge tone={directory.is_enabled ? "good" : "plain"}>
          {directory.is_enabled ? "sign-in enabled" : "sign-in disabled"}
        </Badge>
      }
    >
      <div className="grid max-w-2xl gap-8">
        <Facts
          items={[
            ["Issuer", <code key="issuer">{directory.issuer}</code>],
            ["Default role", roleNames[directory.default_role]],
            ["Allowed domains", directory.allowed_domains.join(", ") || "none"],
          ]}
        />
        <div className="grid gap-2">
          <h3 className="text-sm font-medium">Redirect URI</h3>
          <p className="text-sm text-quiet">Register this address at the provider.</p>
          <CodeBlock text={directory.redirect_uri} what="redirect URI" />
        </div>
        <div className="grid gap-2">
          <h3 className="text-sm font-medium">Logout URI</h3>
          <p className="text-sm text-quiet">
            A provider with back-channel logout ends sessions here when people sign out there.
          </p>
          <CodeBlock text={directory.logout_uri} what="logout URI" />
        </div>
        {mayChange && (
          <>
            <TestDirectory directory={directory} />
            <DirectoryForm directory={directory} />
            <ClaimsForm directory={directory} />
            <div>
              <Button onClick={() => setIsDeleting(true)}>Delete directory…</Button>
            </div>
          </>
        )}
      </div>
      <ConfirmChange
        change={remove}
        input={{ params: { directory_id: directory.id } }}
        action="Delete directory"
        toast="Directory deleted"
        isOpen={isDeleting}
        onClose={() => setIsDeleting(false)}
        typed={directory.name}
      >
        <p>
          Sessions that began through {directory.name} end now. Members stay, and sign in with a
          password or a passkey.
        </p>
      </ConfirmChange>
    </Section>
  );
}

function TestDirectory({ directory }: { directory: Directory }) {
  const test = useTestDirectory();
  const [result, setResult] = useState<Answer<"testDirectory"> | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const run = async () => {
    setError(null);
    setResult(null);
    try {
      setResult(await test.mutateAsync({ params: { directory_id: directory.id } }));
    } catch (failure) {
      setError(failure as Error);
    }
  };
  return (
    <div className="grid gap-3">
      <div>
        <Button onClick={() => void run()} isBusy={test.isPending}>
          Test provider
        </Button>
      </div>
      <FormError error={error} />
      {result && (
        <div role="status" className="grid gap-3">
          {result.fault ? (
            <p className="rounded-md bg-bad-wash px-3 py-2 text-sm text-bad">{result.fault}</p>
          ) : (
            <Facts
              items={[
                [
                  "State",
                  <Badge key="state" tone="good">
                    reachable
                  </Badge>,
                ],
                ["Public keys", formatPlural(result.signing_keys, "key")],
                ["Algorithms", result.signing_algorithms.join(", ")],
              ]}
            />
          )}
        </div>
      )}
    </div>
  );
}

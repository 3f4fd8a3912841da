import { useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { RowLink } from "../../ui/name-link.tsx";
import { Page } from "../../ui/page.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { NewDirectory } from "./new-directory.tsx";
import { type Directory, useDirectories } from "./queries.ts";

const EXAMPLE =
  "./bursar directories create Okta --issuer https://example.okta.com --allowed-domains example.com";

/** Identity providers of the company. */
export function DirectoriesPage() {
  const directories = useDirectories();
  const mayChange = useMay()("directories:write");
  const navigate = useNavigate();
  const [isAdding, setIsAdding] = useState(false);
  if (directories.error) {
    return <LoadError error={directories.error} onRetry={() => void directories.refetch()} />;
  }
  const add = mayChange && !isAdding && (
    <Button kind="primary" data-create onClick={() => setIsAdding(true)}>
      <Plus size={16} /> Create directory…
    </Button>
  );
  const items = directories.data?.items ?? [];
  return (
    <Page
      title="Directories"
      guide="directories"
      lead="Your company’s identity provider. People sign in there by OpenID Connect, and SCIM provides people and groups."
      actions={items.length > 0 && add}
    >
      {isAdding && (
        <NewDirectory
          onSaved={(directoryId) =>
            void navigate({
              to: "/directories/$directoryId",
              params: { directoryId },
              // The form is saved.
              ignoreBlocker: true,
            })
          }
          onCancel={() => setIsAdding(false)}
        />
      )}
      {directories.isPending && <SkeletonRows rows={4} />}
      {directories.data && items.length === 0 && !isAdding && (
        <EmptyState
          title="No directory yet"
          action={add}
          code={<CodeBlock text={EXAMPLE} what="command" />}
        >
          Members sign in with a password or a passkey. With a directory, they use their company
          account.
        </EmptyState>
      )}
      {items.length > 0 && (
        <Table
          label="Directories"
          columns={columns}
          rows={items}
          rowKey={({ id }) => id}
          isDimmed={({ is_enabled }) => !is_enabled}
        />
      )}
    </Page>
  );
}

const columns: Column<Directory>[] = [
  {
    id: "name",
    header: "Name",
    sortBy: ({ name }) => name,
    cell: ({ id, name, issuer }) => (
      <span className="grid">
        <RowLink to="/directories/$directoryId" params={{ directoryId: id }}>
          {name}
        </RowLink>
        <span className="truncate text-xs text-quiet">{issuer}</span>
      </span>
    ),
  },
  {
    id: "state",
    header: "Sign-in",
    cell: ({ is_enabled }) => (
      <Badge tone={is_enabled ? "good" : "plain"}>{is_enabled ? "enabled" : "disabled"}</Badge>
    ),
  },
  {
    id: "linked",
    header: "Signed in",
    from: "sm",
    isBelow: true,
    isNumeric: true,
    sortBy: ({ people }) => people.linked,
    cell: ({ people }) => <span className="figures">{people.linked}</span>,
  },
  {
    id: "provided",
    header: "Provided",
    from: "sm",
    isBelow: true,
    isNumeric: true,
    sortBy: ({ people }) => people.provided,
    cell: ({ people }) => <span className="figures">{people.provided}</span>,
  },
];

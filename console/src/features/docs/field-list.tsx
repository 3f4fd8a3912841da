import { details } from "virtual:reference-details";
import { ChevronRight } from "lucide-react";
import { useId, useState } from "react";
import { readCodeSpans } from "../../kit/documents/blocks.ts";
import { Code, Inlines } from "../../kit/documents/document-blocks.tsx";
import { classNames } from "../../ui/class-names.ts";
import type { Field, Shape } from "./reference.ts";

/** Fields of an object, or its alternatives. Other values show their type. */
export function ShapeView({ shape }: { shape: Shape }) {
  const whole = resolve(shape);
  if (whole.fields) return <FieldList fields={whole.fields} />;
  if (whole.variants) return <Variants variants={whole.variants} />;
  return (
    <p className="text-sm text-quiet">
      <code>{shape.type}</code>
    </p>
  );
}

export function FieldList({ fields }: { fields: readonly Field[] }) {
  return (
    <ul className="divide-y divide-line border-y border-line text-sm">
      {fields.map((field) => (
        <FieldItem key={field.name} field={field} />
      ))}
    </ul>
  );
}

function FieldItem({ field }: { field: Field }) {
  const { name, type, isRequired, about, values, bounds, isShownOnce } = field;
  const hasChildren = resolve(field).fields !== undefined || resolve(field).variants !== undefined;
  return (
    <li className="grid gap-1 py-2">
      <p className="flex flex-wrap items-baseline gap-x-2.5">
        <code className="font-semibold [overflow-wrap:anywhere]">{name}</code>
        <code className="text-quiet [overflow-wrap:anywhere]">{type}</code>
        {isRequired && <span className="text-xs font-medium text-accent">required</span>}
        {isShownOnce && <span className="text-xs font-medium text-warn">shown once</span>}
      </p>
      {about !== undefined && (
        <p className="max-w-[44rem] text-pretty break-words">
          <Inlines content={readCodeSpans(about)} />
        </p>
      )}
      {bounds !== undefined && (
        <p className="text-quiet">
          <Inlines content={readCodeSpans(bounds)} />
        </p>
      )}
      {values && <Values values={values} />}
      {hasChildren && <Children field={field} />}
    </li>
  );
}

function Values({ values }: { values: readonly string[] }) {
  return (
    <p className="flex flex-wrap gap-1">
      {values.map((value) => (
        <Code key={value}>{value}</Code>
      ))}
    </p>
  );
}

/** Fields inside a field. Closed at first, because shapes can be deep. */
function Children({ field }: { field: Field }) {
  const [isOpen, setIsOpen] = useState(false);
  const id = useId();
  return (
    <div>
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
        className="no-print inline-flex min-h-6 items-center gap-1 rounded-sm text-xs font-medium text-accent pointer-coarse:min-h-11"
      >
        <ChevronRight
          size={12}
          aria-hidden="true"
          className={classNames("transition-transform", isOpen && "rotate-90")}
        />
        {isOpen ? "Hide" : "Show"} fields of {field.name}
      </button>
      <div id={id} className={classNames(isOpen && "mt-1.5 border-l-2 border-line pl-3")}>
        {isOpen && <ShapeView shape={field} />}
      </div>
    </div>
  );
}

function Variants({ variants }: { variants: readonly Shape[] }) {
  return (
    <ol className="grid gap-3">
      {variants.map((variant, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: alternatives have no name, and never change.
        <li key={place} className="grid gap-1">
          <p className="text-xs text-quiet">
            {place === 0 ? "One of" : "or"} {titleOf(variant)}
          </p>
          <ShapeView shape={variant} />
        </li>
      ))}
    </ol>
  );
}

/** Name of a shared shape, or the value of the field that tells the alternatives apart. */
function titleOf(variant: Shape): string {
  const fixed = resolve(variant).fields?.find(({ values }) => values?.length === 1);
  return fixed?.values?.[0] ?? variant.shared ?? "";
}

/** The shape that the name of a shared shape stands for. */
function resolve(shape: Shape): Shape {
  return (shape.shared === undefined ? undefined : details.shapes[shape.shared]) ?? shape;
}

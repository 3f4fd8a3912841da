import type { TelemetrySignal } from "@bursar/contract/telemetry-signals.ts";

// Messages of OTLP that lead to attributes, by https://github.com/open-telemetry/opentelemetry-proto. Other fields pass unchanged.

/** A field of a message: its number in protobuf, and its names in JSON, which receivers accept in two forms. */
export interface OtlpField {
  number: number;
  names: readonly string[];
}

/** A message with a list of attributes, or with fields that lead to some. */
export interface OtlpShape {
  /** Null: it has none of its own. */
  attributes: OtlpField | null;
  children: readonly (OtlpField & { shape: OtlpShape })[];
}

type Child = [number: number, name: string, shape: OtlpShape];

function field(number: number, name: string): OtlpField {
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return { number, names: snake === name ? [name] : [name, snake] };
}

function message(attributes: OtlpField | null, ...children: Child[]): OtlpShape {
  return {
    attributes,
    children: children.map(([number, name, shape]) => ({ ...field(number, name), shape })),
  };
}

const attributesAt = (number: number) => field(number, "attributes");
const exemplar = message(field(7, "filteredAttributes"));
const points = (point: OtlpShape) => message(null, [1, "dataPoints", point]);
const metric = message(
  field(12, "metadata"),
  [5, "gauge", points(message(attributesAt(7), [5, "exemplars", exemplar]))],
  [7, "sum", points(message(attributesAt(7), [5, "exemplars", exemplar]))],
  [9, "histogram", points(message(attributesAt(9), [8, "exemplars", exemplar]))],
  [10, "exponentialHistogram", points(message(attributesAt(1), [11, "exemplars", exemplar]))],
  [11, "summary", points(message(attributesAt(7)))],
);
const span = message(
  attributesAt(9),
  [11, "events", message(attributesAt(3))],
  [13, "links", message(attributesAt(4))],
);
const scope: Child = [1, "scope", message(attributesAt(3))];

/** Number of the deprecated field that old receivers read in place of the second one. */
const LIBRARY = 1_000;

/** Data of one resource, beside the resource itself. */
export const resourceShapes: Readonly<Record<TelemetrySignal, OtlpShape>> = {
  metrics: message(
    null,
    [2, "scopeMetrics", message(null, scope, [2, "metrics", metric])],
    [LIBRARY, "instrumentationLibraryMetrics", message(null, [2, "metrics", metric])],
  ),
  logs: message(
    null,
    [2, "scopeLogs", message(null, scope, [2, "logRecords", message(attributesAt(6))])],
    [
      LIBRARY,
      "instrumentationLibraryLogs",
      message(null, [2, "logRecords", message(attributesAt(6))]),
    ],
  ),
  traces: message(
    null,
    [2, "scopeSpans", message(null, scope, [2, "spans", span])],
    [LIBRARY, "instrumentationLibrarySpans", message(null, [2, "spans", span])],
  ),
};

/** Lists of resources in JSON, of each signal. */
export const resourceLists: Readonly<Record<TelemetrySignal, OtlpField>> = {
  metrics: field(1, "resourceMetrics"),
  logs: field(1, "resourceLogs"),
  traces: field(1, "resourceSpans"),
};

import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type RefObject, useLayoutEffect, useRef, useState } from "react";
import { type BodyProps, PlacedRow } from "./table-rows.tsx";

/** Height of a row, and of a row with a second line, pixels. */
const ROW_HEIGHT_PX = 49;
const TALL_ROW_HEIGHT_PX = 69;
/** Rendered rows above and below those in view. More rows cost more time and show fewer gaps while scrolling. */
const OVERSCAN = 8;

/** Rows in view. A component of its own, so that scrolling renders only the rows. */
export function RowsInView<Row extends object>(props: BodyProps<Row>) {
  const { rows, rowKey, layout } = props;
  const body = useRef<HTMLTableSectionElement>(null);
  const topPx = useTop(body);
  const isTall = layout.below.length > 0;
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => (isTall ? TALL_ROW_HEIGHT_PX : ROW_HEIGHT_PX),
    overscan: OVERSCAN,
    scrollMargin: topPx,
    // Renders the rows in view at once, because the columns are measured on them.
    initialRect: { width: innerWidth, height: innerHeight },
    // Renders several scroll events of one frame once.
    useFlushSync: false,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another height needs new positions of all rows.
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, isTall]);
  const items = virtualizer.getVirtualItems();
  const before = (items[0]?.start ?? topPx) - topPx;
  const after = virtualizer.getTotalSize() - ((items.at(-1)?.end ?? topPx) - topPx);
  return (
    <tbody ref={body} className="divide-y divide-line *:*:overflow-hidden *:*:text-ellipsis">
      <Gap heightPx={before} />
      {items.map(({ index }) => {
        const row = rows[index];
        return row && <PlacedRow key={rowKey(row)} row={row} index={index} {...props} />;
      })}
      <Gap heightPx={after} />
    </tbody>
  );
}

/** Returns the top of the element in the document, pixels. Measured when the page changes its size, not on scroll. */
function useTop(element: RefObject<HTMLElement | null>): number {
  const [topPx, setTopPx] = useState(0);
  useLayoutEffect(() => {
    const measure = () => {
      if (element.current) {
        setTopPx(Math.round(element.current.getBoundingClientRect().top + scrollY));
      }
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(document.body);
    return () => watch.disconnect();
  }, [element]);
  return topPx;
}

/** Space of rows out of view. The height is an attribute of an SVG, because inline styles are not allowed. */
function Gap({ heightPx }: { heightPx: number }) {
  if (heightPx <= 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: an empty row cannot have the focus.
    <tr aria-hidden="true">
      <td className="p-0">
        <svg aria-hidden="true" className="block" width="1" height={heightPx} />
      </td>
    </tr>
  );
}

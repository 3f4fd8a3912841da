/** Attribute of elements whose contrast needs no check of its own. */
export const EQUAL_COLORS = "data-equal-colors";

/** Elements of each kind that stay without the mark. Another one may be covered, and axe then decides nothing. */
const KEPT = 3;

/** Earlier pages that checked a kind before all of its texts are marked. */
const CHECKED_PAGES = 2;

/** Number of pages without findings that had the kind of text, by kind. */
export type CheckedKinds = Map<string, number>;

/**
 * Returns a script of the page. The script marks each text that has the colors, the size and the backgrounds of KEPT earlier
 * ones, or of texts on CHECKED_PAGES earlier pages. The script returns the kinds of the other texts. Contrast takes half of
 * axe's time, and nine of ten texts of a long table or of the reference are equal.
 */
export const markEqualColors = (checked: CheckedKinds) => `(() => {
  const known = new Set(${JSON.stringify([...checked].flatMap(([kind, pages]) => (pages < CHECKED_PAGES ? [] : kind)))});
  for (const element of document.querySelectorAll("[${EQUAL_COLORS}]")) element.removeAttribute("${EQUAL_COLORS}");
  const own = [
    "color", "fontSize", "fontWeight", "fontFamily", "textShadow", "webkitTextFillColor", "webkitTextStrokeWidth",
  ];
  const inherited = [
    "backgroundColor", "backgroundImage", "opacity", "filter", "mixBlendMode", "visibility", "display", "position",
    "zIndex", "overflow", "transform", "clipPath",
  ];
  const read = (style, names) => names.map((name) => style[name]).join();
  // Names of the different backgrounds: those of an element and of all around it. Equal ones have one name on all pages.
  const names = new Map();
  const hash = (text) => {
    let [high, low] = [0xdeadbeef, 0x41c6ce57];
    for (let index = 0; index < text.length; index += 1) {
      high = Math.imul(high ^ text.charCodeAt(index), 2654435761);
      low = Math.imul(low ^ text.charCodeAt(index), 1597334677);
    }
    high ^= high >>> 16;
    low ^= low >>> 13;
    return (high >>> 0).toString(36) + (low >>> 0).toString(36);
  };
  const nameOf = (facts) => {
    const name = names.get(facts) ?? hash(facts);
    names.set(facts, name);
    return name;
  };
  const places = new WeakMap();
  const placeOf = (element) => {
    if (element === null) return 0;
    const known = places.get(element);
    if (known !== undefined) return known;
    const isDisabled = element.matches(":disabled, [aria-disabled=true], [aria-hidden=true], [inert]");
    const facts = [placeOf(element.parentElement), isDisabled, read(getComputedStyle(element), inherited)].join();
    const place = nameOf(facts);
    places.set(element, place);
    return place;
  };
  const counts = new Map();
  const isText = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "";
  for (const element of document.body.querySelectorAll("*")) {
    // Labels depend on the state of their control.
    if (element.matches("label, label *, svg *, select, option") || ![...element.childNodes].some(isText)) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const kind = nameOf([placeOf(element), element.tagName, read(getComputedStyle(element), own)].join());
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    if (count > ${KEPT} || known.has(kind)) element.setAttribute("${EQUAL_COLORS}", "");
  }
  return [...counts.keys()].filter((kind) => !known.has(kind));
})()`;

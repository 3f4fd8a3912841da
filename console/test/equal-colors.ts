/** Attribute of elements whose contrast needs no check of its own. */
export const EQUAL_COLORS = "data-equal-colors";

/** Elements of each kind that stay without the mark. Another one may be covered, and axe then decides nothing. */
const KEPT = 3;

/**
 * Runs in the page. Marks each text that has the colors, the size and the backgrounds of KEPT earlier ones. Contrast takes
 * half of axe's time, and nine of ten texts of a long table or of the reference are equal.
 */
export const markEqualColors = `(() => {
  for (const element of document.querySelectorAll("[${EQUAL_COLORS}]")) element.removeAttribute("${EQUAL_COLORS}");
  const own = [
    "color", "fontSize", "fontWeight", "fontFamily", "textShadow", "webkitTextFillColor", "webkitTextStrokeWidth",
  ];
  const inherited = [
    "backgroundColor", "backgroundImage", "opacity", "filter", "mixBlendMode", "visibility", "display", "position",
    "zIndex", "overflow", "transform", "clipPath",
  ];
  const read = (style, names) => names.map((name) => style[name]).join();
  // Numbers of the different backgrounds: those of an element and of all around it.
  const numbers = new Map();
  const places = new WeakMap();
  const placeOf = (element) => {
    if (element === null) return 0;
    const known = places.get(element);
    if (known !== undefined) return known;
    const isDisabled = element.matches(":disabled, [aria-disabled=true], [aria-hidden=true], [inert]");
    const facts = [placeOf(element.parentElement), isDisabled, read(getComputedStyle(element), inherited)].join();
    const number = numbers.get(facts) ?? numbers.size + 1;
    numbers.set(facts, number);
    places.set(element, number);
    return number;
  };
  const counts = new Map();
  const isText = (node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== "";
  for (const element of document.body.querySelectorAll("*")) {
    // Labels depend on the state of their control.
    if (element.matches("label, label *, svg *, select, option") || ![...element.childNodes].some(isText)) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const facts = [placeOf(element), element.tagName, read(getComputedStyle(element), own)].join();
    const count = (counts.get(facts) ?? 0) + 1;
    counts.set(facts, count);
    if (count > ${KEPT}) element.setAttribute("${EQUAL_COLORS}", "");
  }
})()`;

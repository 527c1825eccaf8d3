// What a filter of a tail means: words that must be in a record, and comparisons of its values.
//
//   buy             the text contains it, whatever the case
//   "two words"     the same
//   -sell           the text does not contain it
//   bid > 100       a value, also `order.price >= 5`, `side = buy`, `side != buy`, `id ~ 7f`
//
// Everything must hold.

const TERM = /\s*(?:([\w.$-]*[\w.$])\s*(>=|<=|!=|=|>|<|~)\s*("[^"]*"|[^\s"]+)|(-?)("[^"]*"|(?![<>=!~])[^\s"]+))/y;
const bare = (text) => (text.startsWith('"') ? text.slice(1, -1) : text);

const COMPARE = {
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};

/**
 * `{matches(text, value), fault}`: `value()` gives the record parsed. A filter that is not
 * understood hides nothing, and says so in `fault`.
 */
export function parse(source) {
  const terms = [];
  TERM.lastIndex = 0;
  while (TERM.lastIndex < source.trimEnd().length) {
    const at = TERM.lastIndex;
    const found = TERM.exec(source);
    if (!found) return { matches: () => true, fault: `Not understood from “${source.slice(at).trim()}” on.` };
    terms.push(found[1] === undefined ? word(bare(found[5]), found[4] === "-") : compare(found[1], found[2], bare(found[3])));
    if (typeof terms.at(-1) === "string") return { matches: () => true, fault: terms.at(-1) };
  }
  return { matches: (text, value) => terms.every((term) => term(text, value)), isEmpty: !terms.length };
}

function word(wanted, isNot) {
  const lower = wanted.toLowerCase();
  return (text) => text.toLowerCase().includes(lower) !== isNot;
}

function compare(path, operator, wanted) {
  const number = Number(wanted);
  const order = COMPARE[operator];
  if (order) {
    if (wanted === "" || Number.isNaN(number)) return `“${operator} ${wanted}” needs a number.`;
    return (_, value) => {
      const found = at(value(), path);
      const isNumber = typeof found === "number" || (typeof found === "string" && found.trim() !== "");
      return isNumber && order(Number(found), number);
    };
  }
  return (_, value) => {
    const found = at(value(), path);
    if (found === undefined) return operator === "!=";
    const text = typeof found === "object" ? JSON.stringify(found) : String(found);
    if (operator === "~") return text.toLowerCase().includes(wanted.toLowerCase());
    const isSame = text === wanted || (wanted !== "" && typeof found === "number" && found === number);
    return isSame === (operator === "=");
  };
}

function at(value, path) {
  return path.split(".").reduce((inner, name) => (inner !== null && typeof inner === "object" ? inner[name] : undefined), value);
}

// Change what is on the page into what the server sent, keeping what did not change:
// the focused element stays itself, and what somebody opened stays open.

const keyOf = (node) => (node.nodeType === 1 ? node.id || node.dataset.key || "" : "");

const isReaders = (node, name) => name === "open" && node.nodeName === "DETAILS";

function attributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !isReaders(from, name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value && !isReaders(from, name)) from.setAttribute(name, value);
  }
}

const isSame = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

function one(from, to) {
  if (from.nodeType !== 1) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
  } else if (!from.hasAttribute("data-keep")) {
    attributes(from, to);
    children(from, to);
  }
}

function children(from, to) {
  const wanted = [...to.childNodes];
  wanted.forEach((node, index) => {
    let current = from.childNodes[index];
    const key = keyOf(node);
    if (key && (!current || !isSame(current, node))) {
      const keyed = [...from.childNodes].find((child) => isSame(child, node));
      if (keyed) current = from.insertBefore(keyed, current ?? null);
    }
    if (!current) from.append(node.cloneNode(true));
    else if (isSame(current, node)) one(current, node);
    else if (keyOf(current)) current.before(node.cloneNode(true));
    else current.replaceWith(node.cloneNode(true));
  });
  while (from.childNodes.length > wanted.length) from.lastChild.remove();
}

/** Make the children of `element` those of `html`, which the server rendered and escaped. */
export function morph(element, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  children(element, template.content);
}

"use strict";
// The evidence of a cell, beside the matrix: of the one that is pointed at or focused, or of the one that was chosen.
(() => {
  const checks = JSON.parse(document.getElementById("checks").textContent);
  const panel = document.getElementById("evidence");
  const nothing = panel.firstElementChild;
  const rows = [...document.querySelectorAll(".matrix tbody tr")].map((row) => [...row.querySelectorAll(".cell")]);
  const cells = rows.flat();
  let chosen = null;

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    // As text: what a cluster says is never read as HTML.
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function described(check) {
    const item = element("li");
    const head = element("div", "id");
    head.append(element("span", "state " + check.state.replace(" ", "-"), check.sign + " " + check.state + " "));
    head.append(check.id);
    const list = element("dl");
    const add = (term, value) => value && list.append(element("dt", "", term), element("dd", "", value));
    add("expected", check.expected);
    add("seen", check.seen);
    add("time", check.milliseconds ? check.milliseconds + " ms" : "");
    add("look at", check.hint);
    add("because", check.untried);
    item.append(head, list);
    return item;
  }

  function show(cell) {
    if (!cell) {
      panel.replaceChildren(nothing);
      return;
    }
    const list = element("ol");
    const numbers = cell.dataset.checks.split(" ").filter(Boolean);
    list.append(...numbers.map((number) => described(checks[Number(number)])));
    panel.replaceChildren(element("h3", "", cell.getAttribute("aria-label")), list);
    panel.scrollTop = 0;
  }

  function choose(cell) {
    chosen = chosen === cell ? null : cell;
    for (const each of cells) each.setAttribute("aria-pressed", String(each === chosen));
    show(chosen);
  }

  // One cell at a time can be reached by the Tab key; the arrow keys move on from there.
  function move(cell) {
    for (const each of cells) each.tabIndex = each === cell ? 0 : -1;
  }

  function neighbour(cell, key) {
    const row = rows.findIndex((each) => each.includes(cell));
    const column = rows[row].indexOf(cell);
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (key === "Home") return rows[row][0];
    if (key === "End") return rows[row].at(-1);
    const step = steps[key];
    return step ? rows[row + step[0]]?.[column + step[1]] : undefined;
  }

  for (const cell of cells) {
    cell.addEventListener("click", () => choose(cell));
    cell.addEventListener("mouseenter", () => chosen || show(cell));
    cell.addEventListener("mouseleave", () => chosen || show(null));
    cell.addEventListener("focus", () => {
      move(cell);
      if (!chosen) show(cell);
    });
    cell.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && chosen) choose(chosen);
      const next = neighbour(cell, event.key);
      if (!next) return;
      event.preventDefault();
      next.focus();
    });
  }
  move(cells.find((cell) => cell.classList.contains("failed")) ?? cells[0]);
})();

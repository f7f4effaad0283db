"use strict";

// Draws each chart from the rows beside it; sorts and searches tables; tells how new each dataset is today.

const rowsOf = (section) => {
  const said = JSON.parse(section.querySelector('script[type="application/json"]').textContent);
  return said.rows.map((row) => Object.fromEntries(said.columns.map((name, place) => [name, row[place]])));
};

const draw = async (plot) => {
  const specification = {
    ...window.tidemarkCharts[plot.dataset.chart],
    description: plot.dataset.label,
    datasets: { rows: rowsOf(plot.closest("section")) },
  };
  await window.vegaEmbed(plot, specification, {
    actions: false,
    renderer: "svg",
    tooltip: { theme: "custom", disableDefaultStyle: false },
    loader: { target: "_self" },
  });
};

const shown = (element) => (element.dataset.sort ?? element.textContent).trim();

const compare = (left, right) => {
  const [a, b] = [left, right].map((text) => Number(text.replace(/[,%+]/g, "")));
  if (left !== "" && right !== "" && !Number.isNaN(a) && !Number.isNaN(b)) return a - b;
  return left.localeCompare(right, ["en", "zh"]);
};

// What is empty stands last, whichever the direction.
const sortBy = (table, place, descending) => {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [shown(row.cells[place]), row]);
  rows.sort(([a], [b]) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    return descending ? compare(b, a) : compare(a, b);
  });
  body.append(...rows.map(([, row]) => row));
};

const makeSortable = (table) => {
  for (const [place, head] of [...table.tHead.rows[0].cells].entries()) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      // Figures are looked at from the largest down, words from the first letter on.
      const before = head.getAttribute("aria-sort");
      const descending = before ? before === "ascending" : head.classList.contains("figure");
      for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sortBy(table, place, descending);
    });
  }
};

const makeSearchable = (name) => {
  const list = document.getElementById(name);
  const entries = list.tBodies ? [...list.tBodies[0].rows] : [...list.children];
  const input = document.querySelector(`[data-search="${name}"]`);
  const filter = document.querySelector(`[data-filter="${name}"]`);
  const count = document.querySelector(`[data-count="${name}"]`);
  const words = entries.map((entry) => `${entry.textContent} ${entry.dataset.words ?? ""}`.toLowerCase());
  const update = () => {
    const asked = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const [place, entry] of entries.entries()) {
      const matches = asked.every((word) => words[place].includes(word))
        && (!filter || !filter.value || entry.dataset.verdict === filter.value);
      entry.hidden = !matches;
      found += matches;
    }
    count.textContent = `${found} of ${entries.length}`;
  };
  input.addEventListener("input", update);
  filter?.addEventListener("change", update);
  update();
};

const tellFreshness = (row, today) => {
  const cell = row.querySelector(".state");
  if (cell.textContent.trim() === "") {
    const { late, frozen } = row.dataset;
    cell.textContent = today > frozen ? "frozen" : today > late ? "late" : "fresh";
  }
  cell.classList.add(cell.textContent.trim().split(" ")[0]);
};

const start = () => {
  const now = new Date();
  const today = [now.getFullYear(), now.getMonth() + 1, now.getDate()]
    .map((part) => String(part).padStart(2, "0")).join("-");
  for (const row of document.querySelectorAll("#freshness tbody tr")) tellFreshness(row, today);
  for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
  for (const input of document.querySelectorAll("[data-search]")) makeSearchable(input.dataset.search);
  return Promise.all([...document.querySelectorAll("[data-chart]")].map(draw));
};

// Scripts with `defer` run when the page is read; a test waits for this.
window.tidemarkDrawn = start();

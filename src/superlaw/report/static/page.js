"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const style = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  // ---- colours: a figure's own ones, made lighter where they could not be seen on a dark page

  const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  const hex = (rgb) => "#" + rgb.map((c) => Math.round(c).toString(16).padStart(2, "0")).join("");
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const LEAST_CONTRAST = 3.5;  // of a line with what is behind it; WCAG asks for 3

  function readable(color) {
    const back = luminance(parts(style("--back")));
    if (back > 0.5) return color;
    if (color === EMPTY) return style("--empty");
    let shown = parts(color);
    while ((luminance(shown) + 0.05) / (back + 0.05) < LEAST_CONTRAST) shown = shown.map((c) => c + 0.08 * (255 - c));
    return hex(shown);
  }

  const COLORS = new Set(["color", "arrowcolor"]);
  const EMPTY = "#dddddd";  // a cell of a map without a value; the others keep their colour, which is a number
  function recolored(value, key) {
    if (Array.isArray(value)) return value.map((one) => recolored(one, key));
    if (value && typeof value === "object") {
      if (value.meta === "cells" && value.marker.color !== EMPTY) return value;
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, name === "colorscale" ? one : recolored(one, name)]));
    }
    return COLORS.has(key) && typeof value === "string" && /^#[0-9a-f]{6}$/i.test(value) ? readable(value) : value;
  }

  // ---- figures

  const CONFIG = {
    displaylogo: false, responsive: true, typesetMath: false, showSendToCloud: false, plotlyServerURL: "", showEditInChartStudio: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"], toImageButtonOptions: { format: "svg", filename: "figure" },
  };

  const plainText = (markup) => new DOMParser().parseFromString(String(markup ?? ""), "text/html").body.textContent;
  const NARROW = 480, SHORT = 22;  // pixels of a figure, and characters of a name beside it there
  function shortened(markup) {
    const text = plainText(String(markup).replaceAll("<br>", " "));
    return text.length <= SHORT ? markup : text.slice(0, SHORT - 1).replaceAll("&", "&amp;").replaceAll("<", "&lt;") + "…";
  }

  function themed(layout, width) {
    const text = style("--text"), line = style("--line"), grid = style("--grid");
    const axes = Object.fromEntries(Object.entries(layout).filter(([name]) => /^[xy]axis/.test(name)).map(([name, axis]) => {
      const names = axis.ticktext && width < NARROW ? { ticktext: axis.ticktext.map(shortened) } : {};
      if (names.ticktext && axis.tickangle === 0 && names.ticktext.join("").length > width / 14) names.tickangle = 45;
      return [name, { ...axis, ...names, gridcolor: grid, linecolor: line, tickcolor: line }];
    }));
    return {
      ...layout, ...axes, autosize: true,
      font: { ...layout.font, color: text, family: getComputedStyle(document.body).fontFamily },
      hoverlabel: { ...layout.hoverlabel, bgcolor: style("--card"), bordercolor: line, font: { color: text, size: 12 } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: style("--soft"), activecolor: text },
    };
  }

  const figureOf = (plot) => JSON.parse(document.getElementById(plot.dataset.figure).textContent);
  const legendOf = (plot) => all("button[data-group]", plot.closest(".panel"));
  const hidden = (plot) => new Set(legendOf(plot).filter((b) => b.getAttribute("aria-pressed") === "false").map((b) => b.dataset.group));

  function draw(plot) {
    const found = recolored(figureOf(plot)), off = hidden(plot);
    for (const trace of found.data) if (off.has(trace.legendgroup)) trace.visible = false;
    Plotly.react(plot, found.data, themed(found.layout, plot.clientWidth), CONFIG);
    for (const button of legendOf(plot)) {
      const trace = found.data.find((one) => one.legendgroup === button.dataset.group && one.showlegend);
      const color = trace && (trace.mode === "lines" || !trace.marker || typeof trace.marker.color !== "string" ? trace.line && trace.line.color : trace.marker.color);
      if (color) button.style.setProperty("--swatch", color);
    }
    if (!plot.dataset.drawn) {
      plot.dataset.drawn = "yes";
      plot.on("plotly_afterplot", () => fitted(plot));
      plot.on("plotly_click", (event) => showRows(behind(event.points[0].customdata)));
    }
    fitted(plot);
  }

  // On paper a drawing is scaled to its place, for which it needs to know its own size.
  function fitted(plot) {
    const { width, height } = plot._fullLayout || {};
    if (!width) return;
    plot.style.setProperty("--drawn", `${width} / ${height}`);
    for (const svg of all(".main-svg", plot)) svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  }

  const plots = all(".plot");
  const drawAll = () => plots.forEach(draw);

  function drawOneByOne(rest) {
    if (!rest.length) { root.dataset.drawn = "all"; return; }
    if (!rest[0].dataset.drawn) draw(rest[0]);
    setTimeout(drawOneByOne, 0, rest.slice(1));
  }

  for (const plot of plots) {
    for (const button of legendOf(plot)) {
      button.addEventListener("click", () => {
        const on = button.getAttribute("aria-pressed") === "false";
        button.setAttribute("aria-pressed", on);
        const traces = plot.data.flatMap((trace, k) => trace.legendgroup === button.dataset.group ? [k] : []);
        Plotly.restyle(plot, { visible: on }, traces);
      });
    }
  }

  // ---- light and dark

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const THEMES = ["auto", "light", "dark"];
  function theme(name) {
    if (name === "auto") delete root.dataset.theme; else root.dataset.theme = name;
    for (const button of all(".theme")) button.textContent = `Colours: ${name}`;
  }
  for (const button of all(".theme")) {
    button.hidden = false;
    button.addEventListener("click", () => theme(THEMES[(THEMES.indexOf(root.dataset.theme || "auto") + 1) % 3]));
  }
  dark.addEventListener("change", drawAll);
  new MutationObserver(drawAll).observe(root, { attributeFilter: ["data-theme"] });  // by the button above, or by a site's own
  let before;
  addEventListener("beforeprint", () => { before = root.dataset.theme; root.dataset.theme = "light"; drawAll(); });
  addEventListener("afterprint", () => { if (before) root.dataset.theme = before; else delete root.dataset.theme; drawAll(); });

  // ---- tables

  const raw = (cell) => cell.dataset.v ?? cell.textContent;
  const rowsOf = (table) => [...table.tBodies[0].rows];
  const numeric = (text) => text.trim() !== "" && Number.isFinite(Number(text));

  // A spreadsheet takes a cell that begins so for a formula: it becomes text there.
  function csvCell(text) {
    const safe = /^[=+\-@\t\r]/.test(text) && !numeric(text) ? "'" + text : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }
  const csv = (rows) => rows.map((row) => row.map((text) => csvCell(String(text ?? ""))).join(",")).join("\r\n") + "\r\n";

  function tableRows(table) {
    const head = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    return [head, ...rowsOf(table).filter((row) => !row.hidden).map((row) => [...row.cells].map(raw))];
  }

  async function copy(text, button) {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
    }
    const label = button.textContent;
    button.textContent = done ? "Copied" : "Not allowed here";
    setTimeout(() => { button.textContent = label; }, 1500);
  }

  function save(text, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `${name}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function filter(box, words) {
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    const table = box.querySelector("table");
    let shown = 0;
    for (const row of rowsOf(table)) {
      const text = [...row.cells].map(raw).join("\n").toLowerCase();
      row.hidden = !wanted.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    count(box, shown);
  }

  function count(box, shown) {
    const of = rowsOf(box.querySelector("table")).length;
    box.querySelector(".shown").textContent = shown === of ? `${of} row${of === 1 ? "" : "s"}` : `${shown} of ${of} rows`;
    for (const button of all(".clear", box)) button.hidden = shown === of;
  }

  function sort(table, at, heading) {
    const up = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    const keyed = rowsOf(table).map((row) => [raw(row.cells[at]), row]);
    const sign = up ? 1 : -1;
    keyed.sort(([a], [b]) => {
      if ((a === "") !== (b === "")) return a === "" ? 1 : -1;  // what is not known stands last
      if (numeric(a) && numeric(b)) return sign * (Number(a) - Number(b));
      return sign * a.localeCompare(b, undefined, { numeric: true });
    });
    table.tBodies[0].append(...keyed.map(([, row]) => row));
  }

  for (const box of all("section.table")) {
    const table = box.querySelector("table"), search = box.querySelector("input");
    all(".tools", box).forEach((tools) => { tools.hidden = false; });
    count(box, rowsOf(table).length);
    search?.addEventListener("input", () => filter(box, search.value));
    box.querySelector(".copy")?.addEventListener("click", (event) => copy(csv(tableRows(table)), event.target));
    box.querySelector(".save")?.addEventListener("click", () => save(csv(tableRows(table)), box.id));
    box.querySelector(".clear")?.addEventListener("click", () => { search.value = ""; filter(box, ""); search.focus(); });
    all("thead button", box).forEach((button, at) => button.addEventListener("click", () => sort(table, at, button.closest("th"))));
  }

  // ---- from a number to its runs: the rows of a table that have one of these names

  const behind = (customdata) => String(customdata?.[2] ?? "").split("\n");

  function showRows(wanted) {
    const names = new Set(wanted.filter(Boolean));
    if (!names.size) return;
    for (const box of all("section.table.of-runs")) {
      let shown = 0;
      for (const row of rowsOf(box.querySelector("table"))) {
        row.hidden = !names.has(raw(row.cells[0]));
        shown += !row.hidden;
      }
      if (!shown) { filter(box, ""); continue; }
      box.querySelector("input").value = "";
      count(box, shown);
      const heading = box.querySelector("h3");
      heading.scrollIntoView({ block: "start" });
      heading.focus({ preventScroll: true });
      return;
    }
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("td button[data-runs]");
    if (button) showRows(button.closest("td").dataset.v.split(" "));
  });

  // ---- what a figure plots, as CSV; commands

  function plotted(figure) {
    const rows = [["panel", "series", "x", "y", "y low", "y high", "what", "runs"]];
    for (const plot of all(".plot", figure)) {
      const title = plot.closest(".panel").querySelector("figcaption").textContent.trim();
      for (const trace of figureOf(plot).data) {
        (trace.x || []).forEach((x, k) => {
          if (x === null) return;
          const y = trace.base ? trace.base[k] + 0.5 : trace.y[k], error = trace.error_y;
          const said = trace.customdata?.[k] || [];
          rows.push([title, plainText(trace.name), x, y, error && y !== null ? y - error.arrayminus[k] : "",
            error && y !== null ? y + error.array[k] : "", plainText(String(said[1] ?? "").replaceAll("<br>", "; ")), behind(said).join(" ")]);
        });
      }
    }
    return rows;
  }
  for (const figure of all("section.figure")) {
    all(".tools", figure).forEach((tools) => { tools.hidden = false; });
    figure.querySelector(".copy-figure")?.addEventListener("click", (event) => copy(csv(plotted(figure)), event.target));
    figure.querySelector(".save-figure")?.addEventListener("click", () => save(csv(plotted(figure)), figure.id));
  }
  for (const button of all(".command button")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button.previousElementSibling.textContent, button));
  }

  drawOneByOne(plots);
})();

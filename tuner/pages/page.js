// Draws every figure of the page from the JSON that stands beside it.
"use strict";

const PRINTED_PX = 680;
const plots = [];

function draw(figure) {
  const found = JSON.parse(document.getElementById(figure.dataset.figure).textContent);
  const box = figure.querySelector(".plot");
  box.replaceChildren();
  plots.push(box);
  return Plotly.newPlot(box, found.data, found.layout, { responsive: true, displaylogo: false });
}

async function drawAll() {
  for (const figure of document.querySelectorAll("figure[data-figure]")) {
    await draw(figure);
    await new Promise((resume) => setTimeout(resume)); // the page stays usable meanwhile
  }
  document.body.dataset.drawn = plots.length;
}

window.addEventListener("beforeprint", () => {
  for (const box of plots) Plotly.relayout(box, { width: PRINTED_PX });
});
window.addEventListener("afterprint", () => {
  for (const box of plots) Plotly.relayout(box, { width: null, autosize: true });
});
drawAll();

// Draws the figures that move in place of the printed ones, and lets tables be searched.
// What a study holds comes as JSON or stands in the page already, and is only ever text.

async function chart(place) {
  const spec = JSON.parse(place.nextElementSibling.textContent);
  const options = {
    actions: false,
    ast: true, // no code is made from texts
    defaultStyle: false,
    renderer: "svg",
    tooltip: { disableDefaultStyle: true },
  };
  const { view } = await vegaEmbed(place, spec, options);
  // A finger taps where a mouse would hover.
  place.addEventListener("click", (event) => {
    event.target.dispatchEvent(new PointerEvent("pointermove", event));
  });
  return view;
}

async function move(figure) {
  figure.classList.add("moving"); // the charts take their width from the page
  try {
    const views = await Promise.all([...figure.querySelectorAll(".chart")].map(chart));
    const boxes = [...figure.querySelectorAll("input")];
    const pick = () => {
      const picked = boxes.filter((box) => box.checked).map((box) => box.value);
      views.forEach((view) => view.signal("picked", picked).runAsync());
    };
    figure.addEventListener("change", pick);
    figure.querySelector("button")?.addEventListener("click", () => {
      const all = boxes.every((box) => box.checked);
      boxes.forEach((box) => (box.checked = !all));
      pick();
    });
    if (boxes.length) pick(); // a browser may remember what was picked
  } catch (error) {
    figure.classList.remove("moving");
    throw error;
  }
}

function search(form) {
  const rows = [...document.getElementById(form.dataset.table).tBodies[0].rows];
  const texts = rows.map((row) => [...row.cells].map((cell) => cell.textContent).join(" "));
  const find = () => {
    const words = form.elements.words.value.toLowerCase().split(/\s+/);
    rows.forEach((row, place) => {
      const text = texts[place].toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    });
    const shown = rows.filter((row) => !row.hidden).length;
    form.elements.shown.value = `${shown} of ${rows.length} rows`;
  };
  form.addEventListener("input", find);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  find();
}

document.addEventListener("pointerdown", () => {
  document.getElementById("vg-tooltip-element")?.classList.remove("visible");
});
document.querySelectorAll("form.search").forEach(search);
document.querySelectorAll("figure.moves").forEach(move);

// Suggests territories while a name is typed. Without it, the page that follows lets choose.
const field = document.querySelector("[data-dinamis-places]");
if (field) start(field);

function start(field) {
  const list = document.createElement("datalist");
  list.id = "dinamis-places";
  field.after(list);
  field.setAttribute("list", list.id);
  let known = new Map();
  let timer = null;
  let asked = "";
  const show = (found) => {
    known = new Map(found.map((one) => [one.label, one.url]));
    list.replaceChildren(...found.map((one) => {
      const option = document.createElement("option");
      option.value = one.label;
      option.label = [one.label, one.kind, one.within].filter(Boolean).join(", ");
      return option;
    }));
  };
  const ask = async (text) => {
    asked = text;
    try {
      const answer = await fetch(`${field.dataset.dinamisPlaces}?q=${encodeURIComponent(text)}`);
      if (answer.ok && asked === text) show(await answer.json());
    } catch { /* the form works without */ }
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    const text = field.value.trim();
    if (known.has(text) || text.length < 3) return;
    timer = setTimeout(() => ask(text), 250);
  });
  field.form.addEventListener("submit", (event) => {
    const url = known.get(field.value.trim());
    if (!url) return;
    event.preventDefault();
    location.assign(url);
  });
}

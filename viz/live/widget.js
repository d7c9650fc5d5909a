// The panel comes as HTML made by the kernel; here it is only put in place, and the page kept from jumping.
function render({ model, el }) {
  const draw = () => { el.innerHTML = model.get("html"); };
  model.on("change:html", draw);
  draw();
  return () => model.off("change:html", draw);
}
export default { render };

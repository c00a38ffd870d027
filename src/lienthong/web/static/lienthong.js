// What a page can do beyond being a document. Without this file every page still works: forms are forms, links are links.
"use strict";

// A chosen file tells its name; a file dropped on the field is chosen.
document.addEventListener("change", (event) => {
  const told = event.target.closest(".drop")?.querySelector("[data-chosen]");
  if (told && event.target.files) told.textContent = Array.from(event.target.files, (file) => file.name).join(", ");
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const field = event.target.closest?.(".drop");
    if (!field) return;
    event.preventDefault();
    field.classList.toggle("over", kind === "dragover");
    const input = field.querySelector("input[type=file]");
    if (kind === "drop" && input && event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}

// A form with data-progress is sent in the background: its bar shows how much has left, then the answer takes the page's place.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-progress]") || !window.FormData) return;
  event.preventDefault();
  const bar = form.querySelector("progress");
  const button = form.querySelector("button[type=submit], button:not([type])");
  const request = new XMLHttpRequest();
  bar.hidden = false;
  button.disabled = true;
  request.upload.addEventListener("progress", (told) => { if (told.lengthComputable) { bar.max = told.total; bar.value = told.loaded; } });
  request.upload.addEventListener("load", () => bar.removeAttribute("value"));
  request.addEventListener("load", () => {
    if (request.responseURL && request.status < 400) { window.location.assign(request.responseURL); return; }
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    document.title = answer.title;
    document.querySelector("main").replaceWith(answer.querySelector("main"));
    document.querySelector("h1")?.scrollIntoView();
  });
  request.addEventListener("error", () => { bar.hidden = true; button.disabled = false; form.submit(); });
  request.open(form.method, form.action);
  request.setRequestHeader("Accept", "text/html");
  request.send(new FormData(form));
});

// Keys: an element with data-key is pressed by its letter, wherever one is, but not while typing.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select")) return;
  const wanted = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!wanted) return;
  event.preventDefault();
  if (wanted.matches("input[type=search], input[type=text], textarea")) wanted.focus();
  else wanted.click();
});

/* Small behaviours of the console: dialogs open when their content has arrived; a name is picked by a click. */
(function () {
  "use strict";

  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.target.id !== "modal-content") return;
    Alpine.$data(document.documentElement).openModal = true;
    const first = event.target.querySelector("input:not([type=hidden]), button[type=submit]");
    if (first) setTimeout(function () { first.focus(); }, 50);
  });

  /* A part of the page that renews itself keeps the focus: whoever goes by keyboard stays where they are. */
  let focused = null;
  function alike(element, part) {
    const told = element.getAttribute("href") || element.closest("form")?.action || element.textContent;
    return Array.from(part.querySelectorAll(element.tagName)).filter(function (other) {
      return told === (other.getAttribute("href") || other.closest("form")?.action || other.textContent);
    });
  }
  document.addEventListener("htmx:beforeSwap", function (event) {
    const part = event.target, element = document.activeElement;
    if (!part.id || part === element || !part.contains(element)) return;
    focused = { id: part.id, element: element, index: alike(element, part).indexOf(element) };
  });
  document.addEventListener("htmx:afterSettle", function () {
    const part = focused && document.getElementById(focused.id);
    const same = part && !part.contains(document.activeElement) && alike(focused.element, part)[focused.index];
    focused = null;
    if (same) same.focus({ preventScroll: true });
  });

  document.addEventListener("click", function (event) {
    const cancel = event.target.closest("#modal-content [data-cancel]");
    if (cancel) {
      event.preventDefault();
      Alpine.$data(document.documentElement).openModal = false;
    }
    const pick = event.target.closest("[data-remote-name]");
    if (pick) fill(pick.dataset.remoteName);
  });

  /* A box with data-tick-all="name" ticks all boxes of that name. */
  document.addEventListener("change", function (event) {
    const name = event.target.dataset && event.target.dataset.tickAll;
    if (!name) return;
    document.querySelectorAll('input[type="checkbox"][name="' + name + '"]').forEach(function (box) {
      box.checked = event.target.checked;
    });
  });

  /* A field with data-shown-when="id=value|value" makes sense only while that other field has such a value. */
  function showFields() {
    document.querySelectorAll("[data-shown-when]").forEach(function (field) {
      const [id, values] = field.dataset.shownWhen.split("=");
      const other = document.getElementById(id);
      const row = field.closest(".field-row");
      if (other && row) row.style.display = values.split("|").includes(other.value) ? "" : "none";
    });
    document.querySelectorAll("fieldset.module").forEach(function (group) {
      const rows = Array.from(group.querySelectorAll(".field-row"));
      group.hidden = rows.length > 0 && rows.every(function (row) { return row.style.display === "none"; });
    });
  }
  document.addEventListener("DOMContentLoaded", showFields);
  document.addEventListener("change", showFields);

  function fill(remoteName) {
    set("id_remote_name", remoteName);
    const name = document.getElementById("id_name");
    if (name && (!name.value || name.dataset.picked === name.value)) {
      const slug = remoteName.toLowerCase().replace(/[^a-z0-9._-]+/g, "-");
      set("id_name", slug);
      name.dataset.picked = slug;
    }
  }

  function set(id, value) {
    const input = document.getElementById(id);
    if (!input) return;
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
})();

// Buttons with `data-copy="ID"` copy the text of that element; also where the page is served without TLS.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    getSelection().selectAllChildren(source);
    document.execCommand("copy");
  }
  button.querySelector("[data-copy-label]").textContent = button.dataset.copied;
});

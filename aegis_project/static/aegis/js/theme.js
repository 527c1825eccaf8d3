// The look that was chosen in the admin, before anything is drawn.
{
  const kept = localStorage.getItem("_x_adminTheme");
  const chosen = kept ? JSON.parse(kept) : "auto";
  const system = matchMedia("(prefers-color-scheme: dark)");
  const show = () =>
    document.documentElement.classList.toggle("dark", chosen === "dark" || (chosen === "auto" && system.matches));
  system.addEventListener("change", show);
  show();
}

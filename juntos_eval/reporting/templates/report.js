(function () {
  "use strict";
  var root = document.documentElement;
  var body = document.body;
  var buttons = document.querySelectorAll("[data-language]");

  function remembered() {
    try { return window.localStorage.getItem("juntos-eval-language"); } catch (error) { return null; }
  }

  function show(language, remember) {
    root.lang = language;
    document.title = body.getAttribute("data-title-" + language);
    buttons.forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.dataset.language === language));
    });
    if (remember) {
      try { window.localStorage.setItem("juntos-eval-language", language); } catch (error) { /* private window */ }
    }
  }

  buttons.forEach(function (button) {
    button.addEventListener("click", function () { show(button.dataset.language, true); });
  });
  document.querySelector(".switch").hidden = false;

  var asked = new URLSearchParams(window.location.search).get("lang") || remembered();
  if (asked === "es" || asked === "en") { show(asked, false); }
}());

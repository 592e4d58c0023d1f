(function () {
  "use strict";
  var own = document.currentScript.dataset, seen = 0, since = null, told = 0;
  function begin() {
    if (since === null && document.visibilityState === "visible") since = performance.now();
  }
  function end() {
    if (since !== null) seen += performance.now() - since;
    since = null;
    var seconds = Math.round(seen / 1000);
    if (seconds > told && navigator.sendBeacon(own.told, own.visit + " " + seconds)) told = seconds;
  }
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "visible") begin(); else end();
  });
  addEventListener("pagehide", end);
  addEventListener("pageshow", begin);
  begin();
})();

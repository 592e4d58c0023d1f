"use strict";
const newest = () => {
  const thread = document.querySelector(".thread");
  if (thread) thread.scrollTop = thread.scrollHeight;
};
newest();
// Every two seconds, take the part that changes from a fresh copy of this page; what is being typed stays.
setInterval(async () => {
  const live = document.getElementById("live");
  if (!live || document.hidden) return;
  try {
    const fresh = new DOMParser().parseFromString(await (await fetch(live.dataset.from)).text(), "text/html");
    const next = fresh.getElementById("live");
    if (next && next.innerHTML !== live.dataset.seen) {
      live.innerHTML = live.dataset.seen = next.innerHTML;
      newest();
    }
  } catch (gone) { /* the simulator is away: the next round may find it */ }
}, 2000);

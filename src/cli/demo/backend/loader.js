// The demo's stand-in for a cobrowse loader. It draws nothing and changes nothing on the page; it
// tells what its tag says, and that the session traffic gets through.
(function () {
  "use strict";
  var tag = document.getElementById("glance-cobrowse");
  if (!tag) return;

  var demo = {
    groupid: tag.getAttribute("data-groupid"),
    additional: tag.getAttribute("data-additionalgroupids"),
    masked: document.querySelectorAll("[glance_masked]").length,
    loads: (window.__cobrowseDemo ? window.__cobrowseDemo.loads : 0) + 1,
    ws: "connecting",
    echo: null
  };
  window.__cobrowseDemo = demo;
  console.info(
    "cobrowse demo: group " + demo.groupid +
    (demo.additional ? ", also " + demo.additional : "") +
    "; masked elements: " + demo.masked
  );

  var address = new URL("socket", tag.src);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  address.search = "";
  try {
    var socket = new WebSocket(address.href);
    socket.onopen = function () {
      demo.ws = "open";
      socket.send("hello from group " + demo.groupid);
    };
    socket.onmessage = function (event) { demo.echo = event.data; };
    socket.onclose = function () { demo.ws = "closed"; };
  } catch (error) {
    demo.ws = "refused";
  }
})();

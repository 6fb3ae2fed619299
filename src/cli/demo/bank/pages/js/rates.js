// Fetches today's rates. XMLHTTP for IE 5 and 6, XMLHttpRequest for Mozilla.
function request() {
  if (window.XMLHttpRequest) return new XMLHttpRequest();
  return new ActiveXObject("Microsoft.XMLHTTP");
}

var rates = request();
rates.open("GET", "/fragment/rates", true);
rates.setRequestHeader("X-Requested-With", "XMLHttpRequest");
rates.onreadystatechange = function () {
  if (rates.readyState != 4 || rates.status != 200) return;
  document.getElementById("rates").innerHTML = rates.responseText;
};
rates.send(null);

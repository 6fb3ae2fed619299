// First Example Bank (c) 1999. Do not steal our scripts!
var days = new Array("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday");
var months = new Array("January", "February", "March", "April", "May", "June", "July", "August",
  "September", "October", "November", "December");

function dayName(date) {
  return days[date.getDay()] + ", " + months[date.getMonth()] + " " + date.getDate();
}

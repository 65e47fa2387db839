document.querySelectorAll("table.sorts").forEach(function (table) {
  var body = table.tBodies[0], filter = table.parentNode.previousElementSibling;
  filter.oninput = function () {
    var wanted = filter.value.toLowerCase();
    Array.from(body.rows).forEach(function (row) { row.hidden = row.textContent.toLowerCase().indexOf(wanted) < 0; });
  };
  table.querySelectorAll("th").forEach(function (head) {
    var up = false;
    function value(row) {
      var cell = row.cells[head.cellIndex], number = cell.dataset.v;
      return number === undefined ? cell.textContent : number === "" ? null : +number;
    }
    head.onclick = function () {
      up = !up;
      var rows = Array.from(body.rows);
      rows.sort(function (one, other) {
        var a = value(one), b = value(other);
        if (a === null || b === null) return (a === null) - (b === null);
        var order = (a > b) - (a < b);
        return (typeof a === "string") === up ? order : -order;
      });
      rows.forEach(function (row) { body.appendChild(row); });
      table.querySelectorAll("th").forEach(function (th) { th.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", (typeof value(rows[0]) === "string") === up ? "ascending" : "descending");
    };
  });
});

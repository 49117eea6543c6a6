# SPDX-License-Identifier: Apache-2.0
# Writes $HERE/model.lp.in (CPLEX LP form: what an attacker knows of a two-way table) and prints the protected
# cells with the interval that must stay open. Input: the instance's CSV; -v sums, pattern, kind, p.
BEGIN {
  while ((getline line < pattern) > 0) { n = split(line, f, ","); status[f[1] SUBSEP f[2]] = f[n] }
  while ((getline line < sums) > 0) {
    n = split(line, f, "\t"); n_sums++
    dimension[n_sums] = f[1]; total[n_sums] = f[2]; n_parts[n_sums] = n - 2
    for (i = 3; i <= n; i++) part[n_sums, i - 2] = f[i]
  }
}
NR == 1 { name[1] = $1; name[2] = $2; next }
{ cells[++n_cells] = $1 SUBSEP $2; value[$1 SUBSEP $2] = $3; variable[$1 SUBSEP $2] = "x" n_cells }
function term(key, sign) {
  if (!(key in value)) return
  if (status[key] == "s") constant -= sign * value[key]
  else { row = row (sign > 0 ? " + " : " - ") variable[key]; open++ }
}
END {
  file = ENVIRON["HERE"] "/model.lp.in"
  print "@SIDE@imize\n obj: @TARGET@\nsubject to" > file
  for (s = 1; s <= n_sums; s++) {
    d = dimension[s] == name[1] ? 1 : 2
    delete others; for (c = 1; c <= n_cells; c++) { split(cells[c], k, SUBSEP); others[k[3 - d]] = 1 }
    for (o in others) {
      constant = 0; row = ""; open = 0
      term(d == 1 ? total[s] SUBSEP o : o SUBSEP total[s], -1)
      for (i = 1; i <= n_parts[s]; i++) term(d == 1 ? part[s, i] SUBSEP o : o SUBSEP part[s, i], 1)
      # Sums are printed to four places; what their rounding leaves is not the attacker's to use.
      if (open) printf " r%d:%s >= %.10g\n q%d:%s <= %.10g\n", ++rows, row, constant - 1e-3, rows, row, constant + 1e-3 > file
    }
  }
  print "end" > file
  for (c = 1; c <= n_cells; c++) if (status[cells[c]] == "u") {
    v = value[cells[c]]
    if (kind == "below") print variable[cells[c]], 1, p - 1
    else print variable[cells[c]], v * (1 - p / 100), v * (1 + p / 100)
  }
}

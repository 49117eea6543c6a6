# SPDX-License-Identifier: Apache-2.0
# Writes $HERE/model.lp.in (CPLEX LP form: what an attacker knows of one or several tables) and prints the protected cells with
# the interval that must stay open. Input: the CSVs of the instance's tables; -v dims (lines "dimension TAB total TAB level of the
# sum TAB parts"), pattern (what `disclose protect` wrote), kind, p, slack, most (protected cells asked for, spread evenly).
BEGIN {
  while ((getline line < dims) > 0) {
    n = split(line, f, "\t")
    if (!(f[1] in number)) { number[f[1]] = ++n_dims; whole[n_dims] = f[2] }
    s = ++n_sums[number[f[1]], f[3]]
    id = number[f[1]] SUBSEP f[3] SUBSEP s; n_parts[id] = n - 3
    for (i = 4; i <= n; i++) part[id, i - 3] = f[i]
  }
  while ((getline line < pattern) > 0) {
    n = split(line, f, ",")
    if (!head++) { for (i = 1; i < n; i++) column[i] = number[f[i]] }
    else status[key_of(f, n - 1)] = f[n]
  }
}
# The key over all dimensions; those that are not given are at their total.
function key_of(f, n,   i, key) {
  for (i = 1; i <= n_dims; i++) level[i] = whole[i]
  for (i = 1; i <= n; i++) if (i in column) level[column[i]] = f[i]
  for (i = 1; i <= n_dims; i++) key = key "\034" level[i]
  return key
}
FNR == 1 { table++; delete column; for (i = 1; i <= NF; i++) if ($i in number) { column[i] = number[$i]; uses[table, number[$i]] = 1 }; next }
{
  for (i = 1; i <= NF; i++) field[i] = $i
  key = key_of(field, NF)
  for (i = 1; i <= NF; i++) if (!(i in column)) { v = $i; break }
  if (!(key in value)) { cells[++n_cells] = key; variable[key] = "x" n_cells }
  value[key] = v; within[table, key] = 1
}
function term(key, sign) {
  if (!(key in value)) return
  if (status[key] == "s") constant -= sign * value[key]
  else { row = row (sign > 0 ? " + " : " - ") variable[key]; open++ }
}
END {
  file = ENVIRON["HERE"] "/model.lp.in"
  print "@SIDE@imize\n obj: @TARGET@\nsubject to" > file
  for (c = 1; c <= n_cells; c++) for (t = 1; t <= table; t++) if ((t, cells[c]) in within) for (d = 1; d <= n_dims; d++) if ((t, d) in uses) {
    split(substr(cells[c], 2), at, "\034")
    for (s = 1; s <= n_sums[d, at[d]]; s++) {
      id = d SUBSEP at[d] SUBSEP s; constant = 0; row = ""; open = 0
      term(cells[c], -1)
      for (i = 1; i <= n_parts[id]; i++) {
        key = ""; for (k = 1; k <= n_dims; k++) key = key "\034" (k == d ? part[id, i] : at[k])
        term(key, 1)
      }
      # Sums of magnitudes are printed to four places; what their rounding leaves is not the attacker's to use.
      if (open) printf " r%d:%s >= %.10g\n q%d:%s <= %.10g\n", ++rows, row, constant - slack, rows, row, constant + slack > file
    }
  }
  print "end" > file
  for (c = 1; c <= n_cells; c++) n_primary += status[cells[c]] == "u"
  for (c = 1; c <= n_cells; c++) if (status[cells[c]] == "u" && int(++seen * most / n_primary) > int((seen - 1) * most / n_primary)) {
    v = value[cells[c]]
    if (kind == "below") print variable[cells[c]], 1, p - 1
    else if (kind == "pct") print variable[cells[c]], v * (1 - p / 100), v * (1 + p / 100)
    else print variable[cells[c]], "width", 0
  }
}

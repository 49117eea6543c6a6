# SPDX-License-Identifier: Apache-2.0
# Makes 1,000,000 x 10 rows, writes them for bench/stats.c, fits both models with R, compares what Accord printed.
suppressMessages(library(survival))
args <- commandArgs(TRUE)
n <- as.integer(args[3]); p <- 10
if (args[1] == "make") {
  set.seed(7)
  x <- matrix(rnorm(n * p), n); b <- seq(-0.4, 0.5, length.out = p)
  eta <- drop(x %*% b)
  y <- rbinom(n, 1, plogis(eta - 0.5)) * 1
  time <- ceiling(rexp(n, exp(eta) / 100) * 2); time[time > 200] <- 200
  status <- (time < 200) * rbinom(n, 1, 0.8)
  writeBin(c(n, p, x, y, time, status), args[2])
} else {
  v <- readBin(args[2], "double", 2 + n * (p + 3))[-(1:2)]
  x <- matrix(v[1:(n * p)], n); y <- v[n * p + 1:n]; time <- v[n * (p + 1) + 1:n]; status <- v[n * (p + 2) + 1:n]
  cpu <- function(expr) { t <- system.time(expr); t[[1]] + t[[2]] }
  accord <- lapply(strsplit(readLines(args[4]), " "), function(l) list(name = l[1], seconds = as.numeric(l[2]), beta = as.numeric(l[-(1:2)])))
  one <- cpu(g <- glm(y ~ x, family = binomial(), epsilon = 1e-14))
  two <- cpu(h <- coxph(Surv(time, status) ~ x, control = coxph.control(eps = 1e-14)))
  default <- cpu(glm(y ~ x, family = binomial()))
  report <- function(a, seconds, beta, peer)
    cat(sprintf("%-10s %d x %d: accord %.3f s CPU, %s %.2f s, %.1f times; worst absolute difference of a coefficient %.1e\n",
                a$name, n, p, a$seconds, peer, seconds, seconds / a$seconds, max(abs(a$beta - beta))))
  report(accord[[1]], one, coef(g), "R glm (1e-14)")
  report(accord[[1]], default, coef(g), "R glm (default)")
  report(accord[[2]], two, coef(h), "R coxph Efron")
}

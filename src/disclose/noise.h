/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact samplers for differential privacy: discrete Laplace and discrete Gaussian noise, drawn with integers
 * and rational probabilities only, so that no floating-point artefact gives a count away (Canonne, Kamath,
 * Steinke, "The discrete Gaussian for differential privacy", NeurIPS 2020, algorithms 1 to 3). And what is
 * spent, as zero-concentrated differential privacy (rho; Bun and Steinke 2016).
 */
#ifndef ACCORD_DISCLOSE_NOISE_H
#define ACCORD_DISCLOSE_NOISE_H

#include <stddef.h>
#include <stdint.h>

/* Where random bits come from: the machine's generator for releases, a seeded one in tests only. */
struct noise_source {
    void (*bytes)(void *context, void *out, size_t n);
    void *context;
};
extern const struct noise_source noise_system;

/* P(x) ~ exp(-|x| s / t); s and t from 1 to 10^6. */
int64_t noise_laplace(const struct noise_source *from, uint64_t s, uint64_t t);
/* P(x) ~ exp(-x^2 d / (2 n)): variance parameter n / d, from 1/1000 to 10^6; d to 1000, n to 10^9. */
int64_t noise_gaussian(const struct noise_source *from, uint64_t n, uint64_t d);

/* rho of one answer of which a person changes k counts by one each. */
double rho_of_gaussian(double variance, int64_t k);
double rho_of_laplace(double scale, int64_t k);
/* The smallest epsilon for which rho is (epsilon, delta)-differentially private, by the conversion of
   Canonne, Kamath and Steinke (proposition 12). */
double epsilon_of(double rho, double delta);

#endif

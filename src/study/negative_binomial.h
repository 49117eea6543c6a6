/* SPDX-License-Identifier: Apache-2.0
 *
 * Negative binomial regression (variance mu + mu^2 / theta) as a likelihood of newton.h: the coefficients and
 * log(theta), the last parameter, move together, by the observed information and its third derivatives. With
 * a site term each site's own intercept is profiled out, at the coefficients and theta of the round.
 */
#ifndef ACCORD_STUDY_NEGATIVE_BINOMIAL_H
#define ACCORD_STUDY_NEGATIVE_BINOMIAL_H

#include <stdbool.h>
#include <stddef.h>

struct nb_data {
    bool profile; /* the site's own intercept */
    bool start; /* far from the top, where the curvature in theta may be the wrong way round: keep it positive
                 */
    size_t n, p; /* p columns of x; p + 1 parameters */
    const double *x, *y, *offset;
};
double nb_at(const void *nb_data, const double *parameters, double *gradient, double *information);
void nb_third(const void *nb_data, const double *parameters, double *tensor);

#endif

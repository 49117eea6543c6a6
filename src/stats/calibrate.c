/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/calibrate.h"

#include <math.h>

#include "base/mem.h"
#include "stats/meta.h"
#include "stats/special.h"

enum status systematic_error_fit(const double *log_ratio, const double *se, size_t n,
                                 struct systematic_error *out, struct err *e)
{
    if (n < CALIBRATE_FEWEST)
        return err_set(e, ST_INVALID, "%zu negative controls have an estimate; at least %d are needed", n,
                       CALIBRATE_FEWEST);
    struct arena *a = arena_new();
    struct meta m;
    double *variance = arena_array(a, n, sizeof *variance);
    for (size_t i = 0; i < n; i++)
        variance[i] = se[i] * se[i];
    /* The same likelihood as a random-effects meta-analysis of the controls. */
    enum status st = meta_fit(log_ratio, variance, n, NULL, 0, META_ML, 0, a, &m, e);
    if (st == ST_OK)
        *out = (struct systematic_error){m.beta[0], sqrt(m.tau2), n};
    arena_free(a);
    return st;
}

struct calibrated calibrate_estimate(const struct systematic_error *s, double log_ratio, double se,
                                     double confidence)
{
    double z = normal_z(confidence), shifted = log_ratio - s->mean, all = hypot(s->sd, se);
    return (struct calibrated){.log_ratio = shifted,
                               .se = all,
                               .lower = shifted - z * all,
                               .upper = shifted + z * all,
                               .p = 2 * normal_upper(fabs(shifted) / all)};
}

/* SPDX-License-Identifier: Apache-2.0
 *
 * What the register gives to the outside in other people's forms. Everything in them is public; rows are in
 * order of ids, so that the same register gives the same bytes. */
#ifndef ACCORD_GOVERN_EXPORT_H
#define ACCORD_GOVERN_EXPORT_H

#include "govern/register.h"

/* Data Use Register: the 31 columns of the HDR UK Gateway's upload template, one row for each approved
 * project. */
MUST_CHECK enum status export_use_register(struct registry *r, struct buf *out, struct err *e);

/* Disclosure UK for a year: an array of rows, the first the header, each an array of texts and whole pence.
   Transfers made in the year, one row each where the recipient is named; the others in total by category,
   with count and percentage. */
MUST_CHECK enum status export_disclosure(struct registry *r, int year, struct js **out, struct err *e);
MUST_CHECK enum status export_disclosure_csv(struct registry *r, int year, struct buf *out, struct err *e);
MUST_CHECK enum status export_disclosure_xlsx(struct registry *r, int year, const char *path, struct err *e);

/* The newest entries as an Atom feed (RFC 4287). base_url without a slash at its end. */
MUST_CHECK enum status export_atom(struct registry *r, const char *base_url, int limit, struct buf *out,
                                   struct err *e);
/* Open artefacts as a DCAT catalogue, JSON-LD. */
MUST_CHECK enum status export_dcat(struct registry *r, const char *base_url, struct js **out, struct err *e);
/* A dataset's metadata in the form of HDR UK's schema 3.0.0; ST_INVALID names the first required member that
 * is missing. */
MUST_CHECK enum status export_dataset(struct registry *r, const char *artefact, struct js **out,
                                      struct err *e);

/* xlsx.c: rows as of export_disclosure to a workbook of one sheet. */
MUST_CHECK enum status xlsx_write(const struct js *rows, const char *sheet, const char *path, struct err *e);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * The door to libxlsxwriter. The workbook is written beside its place and renamed when it is whole. */
#include <stdio.h>
#include <stdlib.h>
#include <xlsxwriter.h>

#include "base/mem.h"
#include "govern/export.h"

static lxw_error write_cell(lxw_worksheet *sheet, lxw_row_t row, lxw_col_t column, const struct js *cell,
                            lxw_format *money, lxw_format *head)
{
    if (js_is(cell, JS_INTEGER))
        return worksheet_write_number(sheet, row, column, (double)js_int(cell) / 100, money);
    return worksheet_write_string(sheet, row, column, js_str(cell) ? js_str(cell) : "",
                                  row == 0 ? head : NULL);
}

static lxw_error fill(lxw_workbook *book, const struct js *rows, const char *name)
{
    lxw_worksheet *sheet = workbook_add_worksheet(book, name);
    lxw_format *money = workbook_add_format(book), *head = workbook_add_format(book);
    lxw_error bad = LXW_NO_ERROR;
    format_set_num_format(money, "#,##0.00");
    format_set_bold(head);
    for (size_t i = 0; !bad && i < js_size(rows); i++)
        for (size_t k = 0; !bad && k < js_size(js_at(rows, i)); k++)
            bad = write_cell(sheet, (lxw_row_t)i, (lxw_col_t)k, js_at(js_at(rows, i), k), money, head);
    worksheet_freeze_panes(sheet, 1, 0);
    return bad;
}

enum status xlsx_write(const struct js *rows, const char *name, const char *path, struct err *e)
{
    char *beside = xasprintf("%s.new", path);
    lxw_workbook *book = workbook_new(beside);
    if (!book) {
        free(beside);
        return err_set(e, ST_IO, "cannot begin the workbook");
    }
    lxw_error bad = fill(book, rows, name);
    lxw_error closing = workbook_close(book);
    enum status s = ST_OK;
    if (bad || closing)
        s = err_set(e, ST_IO, "cannot write the workbook: %s", lxw_strerror(bad ? bad : closing));
    else if (rename(beside, path) != 0)
        s = err_set(e, ST_IO, "cannot put the workbook in its place");
    if (s != ST_OK)
        remove(beside);
    free(beside);
    return s;
}

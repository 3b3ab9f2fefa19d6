/*
 * account_row.h - a row of an account, as "account list" and "account show"
 * print it.
 */
#ifndef CTL_ACCOUNT_ROW_H
#define CTL_ACCOUNT_ROW_H

#include "ctl/output.h"
#include "ipc/messages.h"

#define ACCOUNT_COLUMNS 14
extern const struct column account_columns[ACCOUNT_COLUMNS];
void
account_cells(const struct msg_account_row *, struct cell[ACCOUNT_COLUMNS]);

/* The word for an enum account_state. */
const char *account_state(uint32_t);

#endif

/*
 * param.h - the parameters of MAIL and RCPT; a part of command.h.
 */
#ifndef MAIL_PARAM_H
#define MAIL_PARAM_H

#include "mail/command.h"

/*
 * A parameter.  A table of them ends with a NULL keyword.
 *
 *   set    writes the value into the command's args; false: it is wrong
 */
struct param {
	const char *keyword;
	bool (*set)(void *args, const char *value, size_t n);
};

extern const struct param mail_params[], rcpt_params[];

/* What follows the path: each parameter has a space or more before it. */
enum args_result param_read(
    const struct param *table, void *args, const char *s, const char *end);

#endif

/*
 * ctl.h - what a command is given.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>

#include "ctl/args.h"
#include "ctl/output.h"
#include "ctl/settings.h"
#include "lib/code.h"

struct ctl {
	struct args args;
	struct output out;
	const char *file; /* of the configuration */
	bool may_ask;     /* stdin is a terminal and --no-input is not there */
	struct settings settings; /* empty until settings_load() */
};

#endif

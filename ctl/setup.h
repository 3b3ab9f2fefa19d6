/*
 * setup.h - what a server needs on its machine: users, directories, a
 * certificate, a configuration.
 *
 * Each step makes what is missing, leaves alone what is right, and says what
 * it did (or, with dry set, would do) by a line in `made`.
 */
#ifndef CTL_SETUP_H
#define CTL_SETUP_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/conf.h"

struct setup {
	const struct conf *conf;
	bool dry;
	bool root;    /* makes users, gives directories to them */
	json_t *made; /* strings */
};

/* Each returns CODE_OK, or the reason is on stderr. */
int setup_users(struct setup *);
int setup_directories(struct setup *);
int setup_certificate(struct setup *);
/* Write the configuration, unless there is one. */
int setup_configuration(struct setup *, const char *file, const char *text);

#endif

/*
 * conf_parser.h - the file while it is read; inside lib/ only.
 *
 * A section is either plain, and its keys are rows of conf_keys[], or it has a
 * struct conf_section with keys of its own: [listen NAME], [tls NAME],
 * [route NAME], [screen].
 */
#ifndef LIB_CONF_PARSER_H
#define LIB_CONF_PARSER_H

#include "lib/conf_key.h"

struct parser;

/* One key of a section of its own. */
struct conf_setting {
	const char *name; /* NULL ends a table */
	/* NULL, or what is wrong with the value.  `to` is what place() said. */
	const char *(*read)(void *to, const char *value);
};

struct conf_section {
	const char *word; /* [word NAME], or [word] if it has no begin() */
	const struct conf_setting *keys;
	/* Its header was read.  What cannot be taken is told and refused:
	 * p->refused, and its keys are passed over. */
	void (*begin)(struct parser *p, const char *name);
	void *(*place)(struct parser *p);
	void (*end)(struct parser *p); /* may be NULL */
};

extern const struct conf_section conf_section_listen, conf_section_tls,
    conf_section_route, conf_section_screen;

/* A [listen NAME] whose addresses are not yet rows of conf->listens. */
struct listen_draft {
	struct conf_listen listen;
	bool has_tls;
	char addresses[1024]; /* "" none */
};

struct parser {
	const char *text, *end;
	int line;
	char section[320];             /* inih would cut it at 50 bytes */
	const struct conf_section *at; /* NULL: a plain one */
	bool refused; /* what stands in this section is passed over */
	struct conf *conf;
	conf_error_fn *error;
	void *arg;
	int errors;
	struct listen_draft draft;
	bool doubt;     /* an error may hide what stands in [paths] */
	bool run_bad;   /* or is one of paths.run itself */
	bool tls_doubt; /* an error may hide which certificates there are */
};

/* Tell what is wrong with the line under way, or another one (0: the file),
 * and what to do, or "". */
void conf_complain(struct parser *, const char *text, const char *hint);
void
conf_complain_at(struct parser *, int line, const char *text, const char *hint);

/* Whether a section of this name says which certificates there are, or below
 * which directory those are that none names. */
bool conf_section_tls_depends(const char *header);

/* A [section] line; its name without the brackets. */
void conf_section_begin(struct parser *, const char *name);
void conf_section_key(struct parser *, const char *name, const char *value);
/* The next section begins, or the file ends. */
void conf_section_end(struct parser *);

/* The whole file was read: limits that it does not name grow with those that it
 * does. */
void conf_follow(struct parser *);

#endif

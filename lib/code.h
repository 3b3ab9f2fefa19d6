/*
 * code.h - how a program, or a command that another process carries out, ends;
 * the same table is in postern(1).
 */
#ifndef LIB_CODE_H
#define LIB_CODE_H

enum code {
	CODE_OK = 0,
	CODE_NO = 1,      /* a negative answer, or a problem was found */
	CODE_USAGE = 2,   /* the command line */
	CODE_DOWN = 3,    /* the server is not running */
	CODE_DENIED = 4,  /* permission */
	CODE_MISSING = 5, /* there is no such thing */
	CODE_EXISTS = 6,  /* there is one already */
	CODE_TEMP = 75,   /* try again later */
	CODE_CONF = 78,   /* the configuration */
};

#endif

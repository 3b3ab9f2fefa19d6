/*
 * ports.h - whether a server of this configuration could listen.
 */
#ifndef CTL_PORTS_H
#define CTL_PORTS_H

#include "lib/conf.h"

/* Say which addresses another program has, as when the old server still takes
 * mail there.  Not while a server of ours runs, which has them itself. */
void ports_note(const struct conf *);

#endif

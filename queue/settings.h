/*
 * settings.h - the configuration in force.  Set by main.c alone, at the start
 * and at a reload; never NULL while the loop runs.
 */
#ifndef QUEUE_SETTINGS_H
#define QUEUE_SETTINGS_H

#include "lib/conf.h"

extern const struct conf *settings;

/* Where people read what postmaster gets: at default-domain, or at the host
 * name without one. */
const char *settings_domain(void);

#endif

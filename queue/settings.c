/*
 * settings.c - see settings.h.
 */
#include "queue/settings.h"

const struct conf *settings;

const char *
settings_domain(void)
{
	return settings->default_domain[0] != '\0' ? settings->default_domain
						   : settings->hostname;
}

/*
 * settings.c - see settings.h.
 */
#include "queue/settings.h"

const struct conf *settings;

/*
 * story.h - all that the queue and the journal know of messages, as pages for
 * people or documents for programs.
 */
#ifndef CTL_STORY_H
#define CTL_STORY_H

#include "ipc/messages.h"

struct ctl;

typedef void story_event_fn(void *arg, const struct msg_event_row *);

/*
 * Ask the queue (QUEUE_SHOW, QUEUE_TRACE) and print what it answers, one
 * page or document for each message.  The settings are loaded.
 *
 *   event  if not NULL, gets the events, and nothing is printed
 *
 * The exit code; what went wrong is on stderr.
 */
int story_tell(struct ctl *, struct msg *ask, story_event_fn *event, void *arg);

#endif

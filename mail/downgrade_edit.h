/*
 * downgrade_edit.h - what becomes of the bytes of an edit; for the files
 * downgrade*.c only.
 */
#ifndef MAIL_DOWNGRADE_EDIT_H
#define MAIL_DOWNGRADE_EDIT_H

#include "mail/downgrade.h"

enum what {
	ADD_MIME_VERSION,
	ADD_TYPE,
	LABEL_7BIT,
	LABEL_8BIT,
	LABEL_QP,
	LABEL_BASE64,
	ENCODE_QP,
	ENCODE_BASE64,
};

#endif

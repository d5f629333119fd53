/* Which mail a claim to an address is made with: what it is for, and who has the address. */
#pragma once

#include "shared/threepid/validation.h"

struct hs;

#define ADDRESS_PAGE "/_matrix/static/verify/email" /* where a mail leads to */

enum address_purpose { ADDRESS_TO_REGISTER, ADDRESS_TO_ADD, ADDRESS_TO_RESET };

/* With a link and a code. */
const struct validation_channel *address_channel(enum address_purpose purpose);
/* Whoever has the address learns why nothing comes of it; the claim can not be validated, and
 * looks like any other to who asked. */
const struct validation_channel *address_channel_vain(enum address_purpose purpose);

struct validator address_validator(struct hs *hs);

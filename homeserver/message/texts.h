/* The templates of the configuration over the built-in ones of packaging/templates. */
#pragma once

struct hs_conf;
struct mx_error;
struct template_set;

/* Makes *set, or reads it anew if it is there. -MX_BAD_CONFIG with FILE:LINE, and all stays. */
int texts_load(const struct hs_conf *conf, struct template_set **set, struct mx_error *err);

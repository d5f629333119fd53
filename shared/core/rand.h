/* Randomness from the kernel, by libsodium. */
#pragma once

#include <stddef.h>
#include <stdint.h>

void mx_random_bytes(void *ret_bytes, size_t len);

/* 0 … bound-1, without bias. */
uint32_t mx_random_below(uint32_t bound);

/* `len` letters and digits and a NUL; 22 or more of them are an unguessable id. */
void mx_random_token(char *ret_text, size_t len);

/* value ± up to percent of it. */
int64_t mx_jitter(int64_t value, unsigned percent);

/* Whether a sanitizer is built in: they start helpers and look at the process from outside. */
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MX_SANITIZED 1
#endif
#endif
#if !defined(MX_SANITIZED) && (defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__))
#define MX_SANITIZED 1
#endif
#ifndef MX_SANITIZED
#define MX_SANITIZED 0
#endif

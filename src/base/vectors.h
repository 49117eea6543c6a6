/* SPDX-License-Identifier: Apache-2.0
 *
 * VECTORS before a function whose plain loops should become vector code of the machine's width: it is
 * compiled for several widths, and the machine is asked once, at start. Nothing under sanitizers and clang,
 * which do not take both attributes together.
 */
#ifndef ACCORD_BASE_VECTORS_H
#define ACCORD_BASE_VECTORS_H

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&                \
    defined(__GNUC__) && !defined(__clang__)
#define VECTORS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default"), optimize("O3")))
#else
#define VECTORS
#endif

#endif

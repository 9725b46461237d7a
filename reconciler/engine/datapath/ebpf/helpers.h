// SPDX-License-Identifier: GPL-2.0-or-later
/* What every program here starts from: sections, and the kernel's functions (bpf-helpers(7)). */

#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
#define htons(value) __builtin_bswap16(value)

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "built for little-endian machines"
#endif

static void *(*const map_lookup)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static __u64 (*const now_ns)(void) = (void *)BPF_FUNC_ktime_get_ns;
static long (*const redirect)(__u32 ifindex, __u64 flags) = (void *)BPF_FUNC_redirect;
static long (*const xdp_adjust_head)(struct xdp_md *, int delta) = (void *)BPF_FUNC_xdp_adjust_head;
static long (*const skb_change_head)(struct __sk_buff *, __u32 length, __u64 flags) =
	(void *)BPF_FUNC_skb_change_head;
static long (*const skb_change_tail)(struct __sk_buff *, __u32 length, __u64 flags) =
	(void *)BPF_FUNC_skb_change_tail;
static long (*const skb_load)(const void *skb, __u32 offset, void *to, __u32 length) =
	(void *)BPF_FUNC_skb_load_bytes;

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames out of nothing: run by BPF_PROG_TEST_RUN with live frames, it gives each the next of so many heads
 * and puts it on an interface, where it arrives as from a network card: in a page with room before it.
 */

#include "helpers.h"

#define HEAD 64
#define HEADS 16384

struct map {
	__u32 type, key_size, value_size, max_entries, flags;
};

struct head {
	__u8 octets[HEAD];
};

struct state {
	__u32 ifindex, count, next;
};

SEC("maps") struct map heads = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct head), HEADS, 0 };
SEC("maps") struct map state = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct state), 1, 0 };

SEC("xdp")
int card(struct xdp_md *context)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	__u32 zero = 0, number;
	struct state *now = map_lookup(&state, &zero);
	struct head *head;

	if (!now || data + HEAD > end)
		return XDP_ABORTED;
	number = now->next;
	now->next = number + 1 < now->count ? number + 1 : 0;
	head = map_lookup(&heads, &number);
	if (!head)
		return XDP_ABORTED;
	__builtin_memcpy(data, head, HEAD);
	return redirect(now->ifindex, 0);
}

SEC("license") char licence[] = "GPL";

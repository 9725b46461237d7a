// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames and packets as they are on the wire, and what is read and changed in them. */

#pragma once

#include "helpers.h"

#define PPPOE_VERSION_TYPE 0x11
#define PPP_IPV4 htons(0x0021)
#define PPP_CONTROL htons(0x8000) /* RFC 1661 section 2: numbers from 0x8000 */
#define ETHERTYPE_DISCOVERY htons(0x8863)
#define ETHERTYPE_SESSION htons(0x8864)
#define ETHERTYPE_IPV4 htons(0x0800)
#define ETHERTYPE_TAG htons(0x8100)
#define TAG_VLAN htons(0x0fff)
#define FRAGMENT_OFFSET htons(0x1fff)
#define PROTOCOL_TCP 6
#define TCP_SYN 0x02
#define TCP_OPTIONS 40 /* octets at most */
#define MOST_OPTIONS 12 /* looked at: each more costs the verifier */
#define OPTION_END 0
#define OPTION_NOTHING 1
#define OPTION_SEGMENT_SIZE 2

struct stations {
	__u8 to[ETH_ALEN], from[ETH_ALEN];
} __attribute__((packed, aligned(2)));

struct tag { /* of IEEE 802.1Q, before the EtherType */
	__u16 protocol, control;
} __attribute__((packed, aligned(2)));

struct session_header {
	__u16 ethertype;
	__u8 version_type, code;
	__u16 id, length, protocol;
} __attribute__((packed, aligned(2)));

struct ipv4_header {
	__u8 version_length, service;
	__u16 length, id, fragment;
	__u8 ttl, protocol;
	__u16 checksum;
	__u32 source, destination;
} __attribute__((packed, aligned(2)));

struct tcp_header {
	__u16 source, destination;
	__u32 sequence, acknowledgment;
	__u8 offset, flags;
	__u16 window, checksum, urgent;
} __attribute__((packed, aligned(2)));

struct plain_frame {
	struct stations stations;
	__u16 ethertype;
} __attribute__((packed, aligned(2)));

struct session_frame {
	struct stations stations;
	struct session_header header;
} __attribute__((packed, aligned(2)));

#define GROWTH ((int)(sizeof(struct session_frame) - sizeof(struct plain_frame)))

/* A length from a frame. Verifiers before Linux 6.8 do not know that it has 16 bits. */
INLINE __u32 length_of(__u16 field)
{
	__u32 length = htons(field);

	asm volatile("%0 &= 0xffff" : "+r"(length));
	return length;
}

/* By two octets: some machines read no more of a frame at once. */
INLINE int same_mac(const __u8 *one, const __u8 *other)
{
	const __u16 *a = (const void *)one, *b = (const void *)other;

	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

/* The sum after one 16-bit value has changed (RFC 1624 section 3), all in host order. */
INLINE __u16 changed_sum(__u16 sum, __u16 before, __u16 after)
{
	__u32 total = (__u16)~sum + (__u16)~before + after;

	total = (total & 0xffff) + (total >> 16);
	return ~((total & 0xffff) + (total >> 16));
}

/* Lower the segment size in a TCP handshake to what the session carries (RFC 879). What cannot be read stays. */
INLINE void clamp(struct ipv4_header *packet, void *end, __u16 mtu)
{
	const __u16 most = mtu - sizeof(struct ipv4_header) - sizeof(struct tcp_header);
	struct tcp_header *tcp = (void *)packet + (packet->version_length & 0xf) * 4;
	__u32 at = 0, left, length;
	__u16 before, after = most;
	__u8 *option;

	if (packet->protocol != PROTOCOL_TCP || packet->fragment & FRAGMENT_OFFSET)
		return;
	if ((void *)(tcp + 1) > end || !(tcp->flags & TCP_SYN))
		return;
	left = (tcp->offset >> 4) * 4;
	if (left <= sizeof(*tcp))
		return;
	left -= sizeof(*tcp);
#pragma clang loop unroll(disable)
	for (int steps = 0; steps < MOST_OPTIONS; steps++) {
		if (at >= left || at >= TCP_OPTIONS)
			return;
		option = (void *)(tcp + 1) + at;
		if ((void *)(option + 1) > end || *option == OPTION_END)
			return;
		if (*option == OPTION_NOTHING) {
			at++;
			continue;
		}
		if ((void *)(option + 2) > end)
			return;
		length = option[1];
		if (length < 2 || at + length > left)
			return;
		if (*option == OPTION_SEGMENT_SIZE && length == 4) {
			if ((void *)(option + 4) > end)
				return;
			before = option[2] << 8 | option[3];
			if (before <= most)
				return;
			option[2] = most >> 8;
			option[3] = most & 0xff;
			if (at & 1) { /* the sum takes octets in pairs */
				before = htons(before);
				after = htons(after);
			}
			tcp->checksum = htons(changed_sum(htons(tcp->checksum), before, after));
			return;
		}
		at += length;
	}
}

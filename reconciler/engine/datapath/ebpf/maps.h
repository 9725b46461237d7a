// SPDX-License-Identifier: GPL-2.0-or-later
/* The maps: keys and values, as layout.py has them. Numbers are the host's but for what is named so. */

#pragma once

#include "helpers.h"

struct wire { /* a session's identity on the wire (RFC 2516 section 4) */
	__u32 ifindex;
	__u16 vlan[2]; /* outer and inner identifier; 0: untagged */
	__u16 id; /* network order */
	__u8 mac[ETH_ALEN];
};

struct address { /* IPv6, or IPv4 as ::ffff:a.b.c.d */
	__u8 octets[16];
};

struct session {
	__u32 slot; /* in `counts` */
	__u32 ipv4; /* network order */
	__u8 ac_mac[ETH_ALEN];
	__u16 mtu;
	__u8 ipv6[16];
	__u32 ipv6_length; /* of the prefix in bits; 0: no IPv6 */
};

struct subscriber { /* all that it takes to reach one: for packets to it there is one look-up */
	struct wire wire;
	__u32 slot;
	__u8 ac_mac[ETH_ALEN];
	__u16 mtu;
};

struct counts { /* written by these programs alone while the session is open */
	__u64 rx_bytes, tx_bytes, rx_packets, tx_packets;
};

struct port {
	__u32 slot; /* in `counts`: what its closed sessions have carried */
	__u32 access_only; /* anything but PPPoE is dropped */
};

struct device {
	__u32 far; /* its index */
	__u8 near_mac[ETH_ALEN];
	__u16 spare;
};

enum drop {
	TRUNCATED,
	NOT_IPV4,
	SPOOFED,
	UNKNOWN_SESSION,
	NOT_PPPOE,
	NO_SESSION,
	TOO_BIG,
	UNSEGMENTED,
	DROPS = 16,
};

struct map {
	__u32 type, key_size, value_size, max_entries, flags;
};

#define SESSIONS 65536
#define PORTS 1024

SEC("maps") struct map sessions = { BPF_MAP_TYPE_HASH, sizeof(struct wire), sizeof(struct session), SESSIONS,
				    BPF_F_NO_PREALLOC };
SEC("maps") struct map addresses = { BPF_MAP_TYPE_HASH, sizeof(struct address),
				     sizeof(struct subscriber), SESSIONS, BPF_F_NO_PREALLOC };
SEC("maps") struct map counts = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct counts), SESSIONS + PORTS,
				  BPF_F_MMAPABLE };
SEC("maps") struct map ports = { BPF_MAP_TYPE_HASH, sizeof(__u32), sizeof(struct port), PORTS,
				 BPF_F_NO_PREALLOC };
SEC("maps") struct map device = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct device), 1, 0 };
SEC("maps") struct map drops = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(__u64), DROPS, BPF_F_MMAPABLE };
SEC("maps") struct map told = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(__u64), 1, 0 };

// SPDX-License-Identifier: GPL-2.0-or-later
/* The maps: keys and values, as layout.py has them. Numbers are the host's but for what is named so. */

#pragma once

#include "helpers.h"

struct session { /* all that its packets take, both ways: one line of the cache, touched once for each */
	__u32 ifindex; /* 0: closed */
	__u8 mac[ETH_ALEN];
	__u16 mtu;
	__u32 ipv4; /* network order */
	__u8 ac_mac[ETH_ALEN];
	__u16 behind; /* the id of the next session in its place of `addresses`; 0: none */
	__u32 spare[2];
	__u64 rx_bytes, tx_bytes, rx_packets, tx_packets; /* written by these programs alone while it is open */
};

struct places { /* four of them: the id of the first session there; 0: none */
	__u16 id[4];
};

struct counts { /* of the closed sessions of an interface */
	__u64 rx_bytes, tx_bytes, rx_packets, tx_packets;
};

struct port {
	__u32 slot; /* in `counts` */
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

#define SESSIONS 65536 /* as many as there are ids, which are the keys */
#define PLACES 65536 /* for addresses: place_of() */
#define MOST_MET 32 /* sessions whose addresses may meet in one place */
#define PORTS 1024

SEC("maps") struct map sessions = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct session), SESSIONS,
				    BPF_F_MMAPABLE };
SEC("maps") struct map addresses = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct places), PLACES / 4,
				     BPF_F_MMAPABLE };
SEC("maps") struct map counts = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct counts), PORTS,
				  BPF_F_MMAPABLE };
SEC("maps") struct map ports = { BPF_MAP_TYPE_HASH, sizeof(__u32), sizeof(struct port), PORTS,
				 BPF_F_NO_PREALLOC };
SEC("maps") struct map device = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct device), 1, 0 };
SEC("maps") struct map drops = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(__u64), DROPS, BPF_F_MMAPABLE };
SEC("maps") struct map told = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(__u64), 1, 0 };

/* Those of a network of 65,536 are side by side; which networks meet where, is mixed. */
INLINE __u32 place_of(__u32 ipv4)
{
	__u32 address = __builtin_bswap32(ipv4);

	return (address ^ (address >> 16) * 40503) & (PLACES - 1);
}

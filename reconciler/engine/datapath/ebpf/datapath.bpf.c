// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets between PPPoE sessions and one end of a veth pair, without leaving the kernel.
 *
 *	subscriber -> access interface: upstream -> far end => near end -> the kernel routes plain IP
 *	the kernel routes plain IP -> near end => far end: downstream -> access interface -> subscriber
 *
 * Whatever is not a packet of an open session goes on as if nothing were here: discovery and PPP's control
 * protocols to the engine's packet sockets, anything else to the kernel. No maps but those of the first
 * section, no globals, no subprograms: the loader relocates maps and nothing else (see layout.py, which has
 * the same structures).
 */

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
static long (*const skb_pull)(struct __sk_buff *, __u32 length) = (void *)BPF_FUNC_skb_pull_data;
static long (*const skb_load)(const void *skb, __u32 offset, void *to, __u32 length) =
	(void *)BPF_FUNC_skb_load_bytes;

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

/* Keys and values. Numbers are the host's but for what is named so. */

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
SEC("maps") struct map addresses = { BPF_MAP_TYPE_HASH, sizeof(struct address), sizeof(struct wire), SESSIONS,
				     BPF_F_NO_PREALLOC };
SEC("maps") struct map counts = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct counts), SESSIONS + PORTS,
				  BPF_F_MMAPABLE };
SEC("maps") struct map ports = { BPF_MAP_TYPE_HASH, sizeof(__u32), sizeof(struct port), PORTS,
				 BPF_F_NO_PREALLOC };
SEC("maps") struct map device = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct device), 1, 0 };
SEC("maps") struct map drops = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(__u64), DROPS, BPF_F_MMAPABLE };
SEC("maps") struct map told = { BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(__u64), 1, 0 };

/* Frames. */

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

INLINE void count_drop(__u32 reason)
{
	__u64 *count = map_lookup(&drops, &reason);

	if (count)
		__sync_fetch_and_add(count, 1);
}

/* Anything but a session's packet: dropped only where the interface is for PPPoE alone. */
INLINE int not_pppoe(struct xdp_md *context)
{
	__u32 ifindex = context->ingress_ifindex;
	struct port *port = map_lookup(&ports, &ifindex);

	if (!port || !port->access_only)
		return XDP_PASS;
	count_drop(NOT_PPPOE);
	return XDP_DROP;
}

INLINE int drop_frame(__u32 reason)
{
	count_drop(reason);
	return XDP_DROP;
}

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

SEC("xdp")
int upstream(struct xdp_md *context)
{
	void *data = (void *)(long)context->data, *end = (void *)(long)context->data_end;
	struct stations *stations = data;
	struct session_header *header = (void *)(stations + 1);
	struct tag *tag = (void *)header;
	struct plain_frame *frame;
	struct ipv4_header *packet;
	__u32 zero = 0, length, surplus = GROWTH;
	struct wire wire = {};
	struct session *session;
	struct device *pair;
	struct counts *carried;

	if (data + sizeof(*frame) > end)
		return XDP_PASS;
	if (header->ethertype == ETHERTYPE_TAG) {
		if ((void *)(tag + 1) + sizeof(header->ethertype) > end || tag->control & TAG_VLAN)
			return XDP_PASS; /* the VLAN's device sees to it */
		header = (void *)(tag + 1); /* a priority alone */
		surplus += sizeof(*tag);
	}
	if (header->ethertype == ETHERTYPE_DISCOVERY)
		return XDP_PASS;
	if (header->ethertype != ETHERTYPE_SESSION)
		return not_pppoe(context);
	packet = (void *)(header + 1);
	if ((void *)packet > end)
		return drop_frame(TRUNCATED);
	if (header->code || header->protocol & PPP_CONTROL)
		return XDP_PASS;

	wire.ifindex = context->ingress_ifindex;
	wire.id = header->id;
	__builtin_memcpy(wire.mac, stations->from, ETH_ALEN);
	session = map_lookup(&sessions, &wire);
	if (!session) {
		count_drop(UNKNOWN_SESSION);
		return XDP_PASS; /* to `strays`, and to a bridge whose port this is */
	}
	if (!same_mac(stations->to, session->ac_mac))
		return XDP_PASS;
	if (header->version_type != PPPOE_VERSION_TYPE || (void *)(packet + 1) > end)
		return drop_frame(TRUNCATED);
	if (header->protocol != PPP_IPV4 || packet->version_length >> 4 != 4)
		return drop_frame(NOT_IPV4);
	length = length_of(packet->length);
	if (length < sizeof(*packet) || length + sizeof(header->protocol) > length_of(header->length) ||
	    (void *)packet + length > end)
		return drop_frame(TRUNCATED);
	if (packet->source != session->ipv4)
		return drop_frame(SPOOFED);

	pair = map_lookup(&device, &zero);
	carried = map_lookup(&counts, &session->slot);
	if (!pair || !carried)
		return XDP_DROP;
	__sync_fetch_and_add(&carried->rx_packets, 1);
	__sync_fetch_and_add(&carried->rx_bytes, length);

	clamp(packet, end, session->mtu);
	if (xdp_adjust_head(context, surplus))
		return XDP_DROP;
	frame = (void *)(long)context->data;
	if ((void *)(frame + 1) > (void *)(long)context->data_end)
		return XDP_DROP;
	__builtin_memcpy(frame->stations.to, pair->near_mac, ETH_ALEN);
	__builtin_memcpy(frame->stations.from, wire.mac, ETH_ALEN);
	frame->ethertype = ETHERTYPE_IPV4;
	return redirect(pair->far, 0);
}

#define DROP_PACKET 2 /* TC_ACT_SHOT, and TCX_DROP */

INLINE int drop_packet(__u32 reason)
{
	count_drop(reason);
	return DROP_PACKET;
}

/* At the far end: what the kernel has routed to subscribers. Nothing else may leave the pair. */
SEC("tc")
int downstream(struct __sk_buff *skb)
{
	struct address to = { .octets = { [10] = 0xff, [11] = 0xff } };
	struct session_frame *frame;
	struct plain_frame *plain;
	struct ipv4_header *packet;
	struct session *session;
	struct counts *carried;
	struct wire *wire;
	__u32 length;

	if (skb->protocol != ETHERTYPE_IPV4)
		return DROP_PACKET;
	if (skb->gso_size)
		return drop_packet(UNSEGMENTED);
	if (skb_pull(skb, 0)) /* all that is linear, which is all: the near end takes no fragments */
		return DROP_PACKET;
	plain = (void *)(long)skb->data;
	packet = (void *)(plain + 1);
	if ((void *)(packet + 1) > (void *)(long)skb->data_end)
		return drop_packet(TRUNCATED);
	length = length_of(packet->length);
	if (length < sizeof(*packet) || length + sizeof(*plain) != skb->len)
		return drop_packet(TRUNCATED);

	__builtin_memcpy(&to.octets[12], &packet->destination, sizeof(packet->destination));
	wire = map_lookup(&addresses, &to);
	session = wire ? map_lookup(&sessions, wire) : 0;
	if (!wire || !session)
		return drop_packet(NO_SESSION);
	if (length > session->mtu)
		return drop_packet(TOO_BIG);
	clamp(packet, (void *)(long)skb->data_end, session->mtu);
	carried = map_lookup(&counts, &session->slot);
	if (!carried || skb_change_head(skb, GROWTH, 0))
		return DROP_PACKET;
	if (skb->len < ETH_ZLEN && skb_change_tail(skb, ETH_ZLEN, 0)) /* filled with zeros */
		return DROP_PACKET;

	frame = (void *)(long)skb->data;
	if ((void *)(frame + 1) > (void *)(long)skb->data_end)
		return DROP_PACKET;
	__builtin_memcpy(frame->stations.to, wire->mac, ETH_ALEN);
	__builtin_memcpy(frame->stations.from, session->ac_mac, ETH_ALEN);
	frame->header.ethertype = ETHERTYPE_SESSION;
	frame->header.version_type = PPPOE_VERSION_TYPE;
	frame->header.code = 0;
	frame->header.id = wire->id;
	frame->header.length = htons((__u16)(length + sizeof(frame->header.protocol)));
	frame->header.protocol = PPP_IPV4;

	__sync_fetch_and_add(&carried->tx_packets, 1);
	__sync_fetch_and_add(&carried->tx_bytes, length);
	return redirect(wire->ifindex, 0);
}

#define TOLD_EVERY 5000000 /* nanoseconds: at most 200 a second */
#define WHOLE 0x40000

/* On a packet socket: a packet of no session at all, now and then, so that its sender can be told. */
SEC("socket")
int strays(struct __sk_buff *skb)
{
	struct session_frame frame;
	struct wire wire = {};
	__u32 zero = 0;
	__u64 now, *last;

	if (skb->pkt_type || skb_load(skb, 0, &frame, sizeof(frame)))
		return 0;
	if (frame.header.code || frame.header.protocol & PPP_CONTROL)
		return 0;
	wire.ifindex = skb->ifindex;
	wire.id = frame.header.id;
	__builtin_memcpy(wire.mac, frame.stations.from, ETH_ALEN);
	last = map_lookup(&told, &zero);
	now = now_ns();
	if (!last || now - *last < TOLD_EVERY || !map_lookup(&ports, &wire.ifindex) ||
	    map_lookup(&sessions, &wire))
		return 0;
	*last = now;
	return WHOLE;
}

SEC("license") char licence[] = "GPL";

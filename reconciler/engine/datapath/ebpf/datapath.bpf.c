// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets between PPPoE sessions and one end of a veth pair, without leaving the kernel.
 *
 *	subscriber -> access interface: upstream -> far end => near end -> the kernel routes plain IP
 *	the kernel routes plain IP -> near end => far end: downstream -> access interface -> subscriber
 *
 * Whatever is not a packet of an open session goes on as if nothing were here: discovery and PPP's control
 * protocols to the engine's packet sockets, anything else to the kernel. No globals and no subprograms: the
 * loader relocates maps and nothing else.
 */

#include "frames.h"
#include "helpers.h"
#include "maps.h"

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

/* The id has led to a session; the rest of its identity says whether it is this one (RFC 2516 section 4). */
INLINE int is_of(const struct session *session, __u32 ifindex, const __u8 *mac)
{
	return session->ifindex == ifindex && same_mac(session->mac, mac);
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
	__u32 zero = 0, id, length, surplus = GROWTH;
	struct session *session;
	struct device *pair;

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

	id = htons(header->id);
	session = map_lookup(&sessions, &id);
	if (!session || !is_of(session, context->ingress_ifindex, stations->from)) {
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
	if (!pair)
		return XDP_DROP;
	__sync_fetch_and_add(&session->rx_packets, 1);
	__sync_fetch_and_add(&session->rx_bytes, length);

	clamp(packet, end, session->mtu);
	if (xdp_adjust_head(context, surplus))
		return XDP_DROP;
	frame = (void *)(long)context->data;
	if ((void *)(frame + 1) > (void *)(long)context->data_end)
		return XDP_DROP;
	__builtin_memcpy(frame->stations.to, pair->near_mac, ETH_ALEN);
	__builtin_memcpy(frame->stations.from, session->mac, ETH_ALEN);
	frame->ethertype = ETHERTYPE_IPV4;
	return redirect(pair->far, 0);
}

#define DROP_PACKET 2 /* TC_ACT_SHOT, and TCX_DROP */

INLINE int drop_packet(__u32 reason)
{
	count_drop(reason);
	return DROP_PACKET;
}

/* The open session that has this address, and its id. */
INLINE struct session *holder(__u32 ipv4, __u32 *id)
{
	__u32 place = place_of(ipv4), four = place / 4;
	struct places *places = map_lookup(&addresses, &four);
	struct session *session;

	if (!places)
		return 0;
	*id = places->id[place % 4];
#pragma clang loop unroll(disable)
	for (int met = 0; *id && met < MOST_MET; met++) {
		session = map_lookup(&sessions, id);
		if (!session)
			return 0;
		if (session->ipv4 == ipv4 && session->ifindex)
			return session;
		*id = session->behind;
	}
	return 0;
}

/* At the far end: what the kernel has routed to subscribers. Nothing else may leave the pair. */
SEC("tc")
int downstream(struct __sk_buff *skb)
{
	struct session_frame *frame;
	struct plain_frame *plain;
	struct ipv4_header *packet;
	struct session *session;
	__u32 length, id;

	if (skb->protocol != ETHERTYPE_IPV4)
		return DROP_PACKET;
	if (skb->gso_size)
		return drop_packet(UNSEGMENTED);
	plain = (void *)(long)skb->data; /* all of it is linear: the near end takes no fragments */
	packet = (void *)(plain + 1);
	if ((void *)(packet + 1) > (void *)(long)skb->data_end)
		return drop_packet(TRUNCATED);
	length = length_of(packet->length);
	if (length < sizeof(*packet) || length + sizeof(*plain) != skb->len)
		return drop_packet(TRUNCATED);

	session = holder(packet->destination, &id);
	if (!session)
		return drop_packet(NO_SESSION);
	if (length > session->mtu)
		return drop_packet(TOO_BIG);
	clamp(packet, (void *)(long)skb->data_end, session->mtu);
	if (skb_change_head(skb, GROWTH, 0))
		return DROP_PACKET;
	if (skb->len < ETH_ZLEN && skb_change_tail(skb, ETH_ZLEN, 0)) /* filled with zeros */
		return DROP_PACKET;

	frame = (void *)(long)skb->data;
	if ((void *)(frame + 1) > (void *)(long)skb->data_end)
		return DROP_PACKET;
	__builtin_memcpy(frame->stations.to, session->mac, ETH_ALEN);
	__builtin_memcpy(frame->stations.from, session->ac_mac, ETH_ALEN);
	frame->header.ethertype = ETHERTYPE_SESSION;
	frame->header.version_type = PPPOE_VERSION_TYPE;
	frame->header.code = 0;
	frame->header.id = htons((__u16)id);
	frame->header.length = htons((__u16)(length + sizeof(frame->header.protocol)));
	frame->header.protocol = PPP_IPV4;

	__sync_fetch_and_add(&session->tx_packets, 1);
	__sync_fetch_and_add(&session->tx_bytes, length);
	return redirect(session->ifindex, 0);
}

#define TOLD_EVERY 5000000 /* nanoseconds: at most 200 a second */
#define WHOLE 0x40000

/* On a packet socket: a packet of no session at all, now and then, so that its sender can be told. */
SEC("socket")
int strays(struct __sk_buff *skb)
{
	struct session_frame frame;
	struct session *session;
	__u32 zero = 0, id, ifindex = skb->ifindex;
	__u64 now, *last;

	if (skb->pkt_type || skb_load(skb, 0, &frame, sizeof(frame)))
		return 0;
	if (frame.header.code || frame.header.protocol & PPP_CONTROL)
		return 0;
	id = htons(frame.header.id);
	session = map_lookup(&sessions, &id);
	last = map_lookup(&told, &zero);
	now = now_ns();
	if (!last || now - *last < TOLD_EVERY || !map_lookup(&ports, &ifindex))
		return 0;
	if (!session || is_of(session, ifindex, frame.stations.from))
		return 0;
	*last = now;
	return WHOLE;
}

SEC("license") char licence[] = "GPL";

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
	struct subscriber *subscriber;
	struct counts *carried;
	__u32 length;

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

	__builtin_memcpy(&to.octets[12], &packet->destination, sizeof(packet->destination));
	subscriber = map_lookup(&addresses, &to);
	if (!subscriber)
		return drop_packet(NO_SESSION);
	if (length > subscriber->mtu)
		return drop_packet(TOO_BIG);
	clamp(packet, (void *)(long)skb->data_end, subscriber->mtu);
	carried = map_lookup(&counts, &subscriber->slot);
	if (!carried || skb_change_head(skb, GROWTH, 0))
		return DROP_PACKET;
	if (skb->len < ETH_ZLEN && skb_change_tail(skb, ETH_ZLEN, 0)) /* filled with zeros */
		return DROP_PACKET;

	frame = (void *)(long)skb->data;
	if ((void *)(frame + 1) > (void *)(long)skb->data_end)
		return DROP_PACKET;
	__builtin_memcpy(frame->stations.to, subscriber->wire.mac, ETH_ALEN);
	__builtin_memcpy(frame->stations.from, subscriber->ac_mac, ETH_ALEN);
	frame->header.ethertype = ETHERTYPE_SESSION;
	frame->header.version_type = PPPOE_VERSION_TYPE;
	frame->header.code = 0;
	frame->header.id = subscriber->wire.id;
	frame->header.length = htons((__u16)(length + sizeof(frame->header.protocol)));
	frame->header.protocol = PPP_IPV4;

	__sync_fetch_and_add(&carried->tx_packets, 1);
	__sync_fetch_and_add(&carried->tx_bytes, length);
	return redirect(subscriber->wire.ifindex, 0);
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

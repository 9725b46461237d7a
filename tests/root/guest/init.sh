#!/bin/sh
# PID 1 of the guest. Its root is the host's own file system, read-only; whatever must be written is a tmpfs here.
# The directory that it shares with the host, $share, is on /mnt.
#
# Then it obeys: a line "7" on the console runs /mnt/7, with its output in /mnt/7.out, in the background; the line
# "done 7 0" tells that it has ended, and how. The end of the console is the end of the guest.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C
exec 2>&1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mount -t tmpfs tmpfs /etc/ppp
# shellcheck disable=SC2154  # share is on the kernel's command line
mount -t hostfs hostfs /mnt -o "$share"
mkdir -p /run/netns /run/lock /run/ppp /run/root/lib

# pppd wants these, and must find nothing of the host's in them.
: >/etc/ppp/options
(umask 077 && : >/etc/ppp/pap-secrets && : >/etc/ppp/chap-secrets)

# Debian keeps this kernel's modules outside /lib/modules.
ln -s /usr/lib/uml/modules /run/root/lib/modules
modprobe -d /run/root -a pppoe macvlan
[ -c /dev/ppp ] || mknod /dev/ppp c 108 0

ip link set lo up
stty -echo -icanon -onlcr </dev/console
echo ready
while IFS= read -r job; do
    (
        setsid sh "/mnt/$job" </dev/null >"/mnt/$job.out" 2>&1
        echo "done $job $?"
    ) &
done
exec busybox poweroff -f

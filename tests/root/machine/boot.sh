#!/bin/sh
# Boots the Debian in DIRECTORY with its own systemd, in namespaces of its own except for the network's:
#   boot.sh DIRECTORY CHANGES
# What it writes goes to CHANGES; the directory stays as it is.
set -eu
base=$1 changes=$2

mount --make-rprivate /
mount -t tmpfs tmpfs "$changes"
mkdir "$changes/upper" "$changes/work" "$changes/root" "$changes/cgroup"
root=$changes/root
mount -t overlay overlay -o "lowerdir=$base,upperdir=$changes/upper,workdir=$changes/work" "$root"

mount -t cgroup2 cgroup2 "$changes/cgroup"
group=$changes/cgroup/machine-$$
mkdir "$group"
trap 'find "$group" -depth -type d -exec rmdir {} +' EXIT
sh -c 'echo $$ >"$1/cgroup.procs"; exec unshare --cgroup --pid --mount --ipc --uts --fork --kill-child sh -eu -c "$2" sh "$3"' \
    sh "$group" '
    root=$1
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t bpf bpf "$root/sys/fs/bpf" || true
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    mkdir -p "$root/dev/net" "$root/dev/shm"
    for device in null zero full random urandom net/tun; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root/host"
    cd "$root"
    pivot_root . host
    umount --lazy host
    exec env -i container=test PATH=/usr/sbin:/usr/bin /lib/systemd/systemd --show-status=false
' "$root"

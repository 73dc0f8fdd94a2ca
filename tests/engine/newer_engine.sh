#!/usr/bin/env bash
# Runs the engine tests on a newer Docker, with its containerd image store: Debian trixie's, in a root of its own.
#
#   tests/engine/newer_engine.sh [PYTEST ARGUMENT...]
#
# As root, with debootstrap; the root is made anew in a temporary folder, or kept in $LAMINA_NEWER_ROOT.
set -euo pipefail
cd "$(dirname "$0")/../.."

root=${LAMINA_NEWER_ROOT:-$(mktemp -d /tmp/lamina-newer.XXXXXX)}
store=/var/lib/lamina-newer # by this name the engine and we both know its disk
engine=
cleanup() {
    status=$?
    trap - EXIT
    if [ -n "$engine" ]; then
        kill "$engine" 2>/dev/null || true
        wait "$engine" 2>/dev/null || true
    fi
    rm -f "$store"
    if [ -z "${LAMINA_NEWER_ROOT:-}" ]; then rm -rf --one-file-system "$root"; fi
    exit "$status"
}
trap cleanup EXIT

if [ ! -x "$root/usr/sbin/dockerd" ]; then
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | head -n 1)
    debootstrap --variant=minbase --include=docker.io,iptables,procps,ca-certificates trixie "$root" $mirror
fi
rm -rf --one-file-system "${root:?}$store"
mkdir -p "$root$store" "$root/etc/docker" "$root/tmp/lamina"
rm -f "$root/tmp/lamina/docker.sock"
echo '{"features": {"containerd-snapshotter": true}}' >"$root/etc/docker/daemon.json"
ln -sfn "$root$store" "$store"
# A namespace of its own: what is mounted in there goes with it.
unshare --mount --propagation private bash -euc '
    mount --bind "$1" "$1"
    for place in proc dev sys; do mount --rbind "/$place" "$1/$place"; done
    exec chroot "$1" dockerd --data-root "$2" --exec-root /run/lamina -H unix:///tmp/lamina/docker.sock \
        -p /run/lamina.pid --iptables=false --ip6tables=false --bridge=none
' - "$root" "$store" >"$root/tmp/lamina/log" 2>&1 &
engine=$!
export DOCKER_HOST="unix://$root/tmp/lamina/docker.sock"
for _ in $(seq 150); do
    docker version --format '{{.Server.Version}}' >/dev/null 2>&1 && break
    kill -0 "$engine" 2>/dev/null || { tail -n 20 "$root/tmp/lamina/log" >&2; exit 1; }
    sleep 0.2
done
docker info --format 'engine {{.ServerVersion}}, {{.Driver}} {{.DriverStatus}}'

# What these tests hold fast is the classic store's, or other tools' trouble with what this one exports:
without=(
    # An image's ID is its manifest's digest here, and the tests know the config's.
    test_image_set.py test_many_images.py test_the_platforms_of_an_index_in_a_registry
    # Layers are pushed as they were loaded, uncompressed, and blobs of a removed image stay until they are collected.
    test_pull_cost.py test_docker_fetches test_podman_fetches test_nothing_is_pulled test_from_the_search
    # podman 4.3 can't save what it took from this engine's archives.
    podman-docker-archive podman-oci-archive test_podmans_api test_what_was_kept_from_one_form
    # The differ writes a whiteout for each file where the classic one marks a folder as opaque.
    test_the_report_shows_what_the_steps_did
    # Without a folder that it could look into, lamina tells the engine's own figure of a container's size.
    test_containers_are_listed_with_what_they_have_written
)
expression=$(printf ' or %s' "${without[@]}")
${PYTHON:-python3} -m pytest -q -n 2 tests/engine -k "not (${expression# or })" "$@"

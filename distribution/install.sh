#!/bin/sh
# Puts outrigger on this machine: downloads it, holds it against its sum, and runs its own `install`.
# Nothing is run, and nothing is changed, before everything has arrived and is what it should be.
#
# All of it is in functions, and the last line calls them: a script that was cut off does nothing.
set -eu

usage() {
  cat <<'END'
usage: install.sh --url URL [options] [options of `outrigger install`]

Downloads outrigger from a control plane or a mirror, packed where xz or busybox can unpack it, verifies
it, and runs `outrigger install` with all options that are not named here (outrigger install --help lists
them).

  --url URL           folder with SHA256SUMS and the programs, e.g. https://cp.example.org:15443
  --ca-sha256 SUM     trust the certificate authority in URL/ca.pem, which must have this SHA-256,
                      and no other, for all further downloads; the agent will trust it too
  --sums-sha256 SUM   SHA-256 that SHA256SUMS must have
  --plain-url URL     the same folder by http, for a wget whose TLS is too old (busybox); what comes
                      from there is held against the sums, so it takes --sums-sha256
  --token-stdin       read the token to join with from standard input
  --version VERSION   take it from URL/VERSION
  --no-service        put the program into PREFIX/bin, and do nothing else
  --prefix PREFIX     with --no-service: where; /usr/local unless given
  --dry-run           download and verify, show what would be done, change nothing
  --help              this
END
}

say() { printf '%s\n' "$*"; }

fail() {
  printf 'install.sh: %s\n' "$*" >&2
  printf 'install.sh: nothing was changed on this machine.\n' >&2
  exit 1
}

cleanup() {
  [ -z "${work:-}" ] || rm -rf "$work"
}

# The SHA-256 of a file.
sum_of() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum <"$1" | cut -d ' ' -f 1
  elif command -v shasum >/dev/null 2>&1; then
    shasum -a 256 <"$1" | cut -d ' ' -f 1
  else
    fail 'neither sha256sum nor shasum is there to verify the download with'
  fi
}

# Which program downloads, and whether it can tell the server's certificate from another one.
find_downloader() {
  if command -v curl >/dev/null 2>&1; then
    downloader=curl
  elif ! command -v wget >/dev/null 2>&1; then
    fail 'neither curl nor wget is there to download with: install one of them'
  elif wget --version 2>/dev/null | grep -q 'GNU Wget'; then
    downloader=gnu_wget
  else
    # busybox: it encrypts, and takes every certificate.
    downloader=other_wget
  fi
}

# download NAME FILE: one try; what it complains of goes to a file.
download_once() {
  case $downloader in
    curl)
      if [ "$trust" = pinned ]; then
        # An empty --capath: without it the system's authorities would be trusted beside the pinned one.
        set -- "$@" --cacert "$work/ca.pem" --capath "$work/none"
      elif [ "$trust" = any ]; then
        set -- "$@" --insecure
      fi
      from=$1 to=$2
      shift 2
      curl --fail --silent --show-error --location --connect-timeout 10 --speed-limit 1 --speed-time 30 \
        "$@" --output "$to" "$base/$from" 2>"$work/complaint"
      ;;
    gnu_wget)
      if [ "$trust" = pinned ]; then
        set -- "$@" "--ca-certificate=$work/ca.pem" "--ca-directory=$work/none"
      elif [ "$trust" = any ]; then
        set -- "$@" --no-check-certificate
      fi
      from=$1 to=$2
      shift 2
      wget --no-verbose --tries=1 --timeout=30 "$@" -O "$to" "$base/$from" 2>"$work/complaint"
      ;;
    other_wget)
      # Without -T: busybox 1.35 of Debian 12 crashes on it.
      wget -q -O "$2" "$base/$1" 2>"$work/complaint"
      ;;
  esac
}

# download_twice NAME FILE: a second try a second later.
download_twice() {
  download_once "$1" "$2" && return
  sleep 1
  download_once "$1" "$2"
}

# The last complaint.
complaint() {
  sed '/^wget: note:/d' "$work/complaint" | head -n 2
}

# download NAME FILE
download() {
  download_twice "$1" "$2" && return
  reason=$(complaint)
  case $reason in
    *[Cc]ertificate* | *SSL*)
      fail "the server could not prove itself at $base/$1: $reason"
      ;;
  esac
  fail "$base/$1 could not be downloaded: $reason"
}

# expect WHAT FILE SUM
expect() {
  actual=$(sum_of "$2")
  [ "$actual" = "$3" ] || fail "$1 is not what it should be: its SHA-256 is $actual and should be $3.
It was changed on the way, or at its source since the line was made: make a new line, and compare."
}

# What this machine is, in the words that programs are named by.
find_platform() {
  system=$(uname -s)
  [ "$system" = Linux ] || fail "outrigger runs on Linux, and this is $system"
  case $(uname -m) in
    x86_64 | amd64) arch=x64 ;;
    aarch64 | arm64) arch=arm64 ;;
    *) fail "there is no outrigger for $(uname -m): it runs on x86_64 and aarch64" ;;
  esac
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null || ldd --version 2>&1 | head -n 1 || :)
  case $libc in
    *[Gg][Ll][Ii][Bb][Cc]* | *GNU\ libc*) ;;
    *musl*) fail 'outrigger needs glibc 2.27 or later, and this system has musl instead' ;;
    *)
      for loader in /lib/ld-musl-*; do
        [ ! -e "$loader" ] || fail 'outrigger needs glibc 2.27 or later, and this system has musl instead'
      done
      fail 'outrigger needs glibc 2.27 or later, and none was found'
      ;;
  esac
  version_of_libc=${libc##* }
  major=${version_of_libc%%.*}
  minor=${version_of_libc#*.}
  minor=${minor%%[!0-9]*}
  case $major$minor in
    '' | *[!0-9]*) fail "the version of glibc is not to be made out: $libc" ;;
  esac
  if [ "$major" -lt 2 ] || { [ "$major" -eq 2 ] && [ "$minor" -lt 27 ]; }; then
    fail "outrigger needs glibc 2.27 or later, and this is $version_of_libc"
  fi
}

# What a package brought is its package manager's; the program would refuse too, but after the download.
refuse_beside_package() {
  for folder in /usr/lib/systemd/system /lib/systemd/system; do
    [ ! -e "$folder/outrigger.service" ] ||
      fail "a package brought outrigger to this machine: run its own install (outrigger install --help).
For another version, upgrade the package; to do without it, remove it first"
  done
}

# A folder for everything, where it will be needed: in the folder of the program, or the nearest one above
# that is there, since only within one file system can a file be put in place whole.
make_work() {
  if [ "$dry_run" = yes ]; then
    nearest=${TMPDIR:-/tmp}
  else
    nearest=$prefix/bin
    while [ ! -d "$nearest" ]; do nearest=$(dirname "$nearest"); done
  fi
  umask 077
  work=$(mktemp -d "$nearest/.outrigger.XXXXXX") || fail "$nearest cannot be written"
  mkdir "$work/none"
}

# The program as $work/outrigger, verified.
fetch_program() {
  trust=system
  if [ -n "$ca_sha256" ]; then
    trust=any
    download ca.pem "$work/ca.pem"
    expect "the certificate authority ($base/ca.pem)" "$work/ca.pem" "$ca_sha256"
    trust=pinned
  fi
  download SHA256SUMS "$work/SHA256SUMS"
  [ -z "$sums_sha256" ] || expect "$base/SHA256SUMS" "$work/SHA256SUMS" "$sums_sha256"
  name=outrigger-linux-$arch
  sum=$(listed_sum "$name")
  [ -n "$sum" ] || fail "$base has no outrigger for linux-$arch"
  fetch_packed || download "$name" "$work/outrigger"
  expect "$base/$name" "$work/outrigger" "$sum"
  chmod 755 "$work/outrigger"
  TMPDIR=$work "$work/outrigger" version >/dev/null 2>"$work/complaint" ||
    fail "the program does not run on this machine: $(tail -n 3 "$work/complaint")"
}

# The same packed, which is a quarter to download. Fails, with a word, where it cannot be had; what is not
# what it should be is refused as the program itself would be.
fetch_packed() {
  packed_sum=$(listed_sum "$name.xz")
  [ -n "$packed_sum" ] || return 1
  find_unpacker || return 1
  if ! download_twice "$name.xz" "$work/packed"; then
    say "$base/$name.xz could not be downloaded, so the program is taken unpacked: $(complaint)" >&2
    return 1
  fi
  expect "$base/$name.xz" "$work/packed" "$packed_sum"
  if ! unpack <"$work/packed" >"$work/outrigger" 2>"$work/complaint"; then
    say "$unpacker could not unpack $name.xz, so the program is taken unpacked: $(complaint)" >&2
    return 1
  fi
  rm -f "$work/packed"
}

# Which program unpacks .xz, if any does.
find_unpacker() {
  if command -v xz >/dev/null 2>&1; then
    unpacker=xz
  elif command -v xzcat >/dev/null 2>&1; then
    unpacker=xzcat
  elif busybox --list 2>/dev/null | grep -qx xzcat; then
    unpacker=busybox
  else
    return 1
  fi
}

# Unpacks .xz from standard input to standard output.
unpack() {
  case $unpacker in
    xz) xz -dc ;;
    xzcat) xzcat ;;
    busybox) busybox xzcat ;;
  esac
}

# The sum of a name in SHA256SUMS; nothing where it is not listed.
listed_sum() {
  while read -r listed file; do
    if [ "${file#\*}" = "$1" ]; then
      printf '%s\n' "$listed"
      return
    fi
  done <"$work/SHA256SUMS"
}

main() {
  url='' plain_url='' ca_sha256='' sums_sha256='' version='' prefix=/usr/local
  token_stdin=no service=yes dry_run=no
  left=$#
  while [ "$left" -gt 0 ]; do
    option=$1
    shift
    left=$((left - 1))
    case $option in
      --help | -h)
        usage
        return
        ;;
      --url | --plain-url | --ca-sha256 | --sums-sha256 | --version | --prefix)
        [ "$left" -gt 0 ] || fail "$option needs a value"
        case $option in
          --url) url=${1%/} ;;
          --plain-url) plain_url=${1%/} ;;
          --ca-sha256) ca_sha256=$1 ;;
          --sums-sha256) sums_sha256=$1 ;;
          --version) version=$1 ;;
          --prefix) prefix=$1 ;;
        esac
        shift
        left=$((left - 1))
        ;;
      --token-stdin) token_stdin=yes ;;
      --no-service) service=no ;;
      --dry-run) dry_run=yes ;;
      *) set -- "$@" "$option" ;; # behind those that are still to be looked at
    esac
  done
  [ -n "$url" ] || fail '--url is needed: where to download from (--help says more)'
  [ "$prefix" = /usr/local ] || [ "$service" = no ] ||
    fail '--prefix needs --no-service: the service runs /usr/local/bin/outrigger'
  find_platform
  [ "$service" = no ] || refuse_beside_package
  find_downloader
  if [ "$downloader" = other_wget ] && [ -n "$plain_url" ]; then url=$plain_url; fi
  case $url in
    https://*)
      [ "$downloader" != other_wget ] || [ -n "$sums_sha256" ] ||
        fail "this wget cannot tell the server's certificate from another: give --sums-sha256, or install curl"
      ;;
    *) [ -n "$sums_sha256" ] || fail "give --sums-sha256, or an --url with https: nothing else vouches for $url" ;;
  esac
  if [ "$service" = yes ] && [ "$dry_run" = no ] && [ "$(id -u)" != 0 ]; then
    fail 'only root can install the service: run this as root, e.g. with sudo'
  fi
  base=$url${version:+/$version}
  trap cleanup EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  make_work
  if [ "$token_stdin" = yes ]; then
    cat >"$work/token"
    set -- "$@" --token-file "$work/token"
  fi
  fetch_program
  if [ "$service" = no ]; then
    if [ "$dry_run" = yes ]; then
      say "$base/outrigger-linux-$arch is whole, and would become $prefix/bin/outrigger."
      return
    fi
    (umask 022 && mkdir -p "$prefix/bin")
    # On disk before it has its name: after a power cut there is the old one or the new one.
    sync "$work/outrigger" 2>/dev/null || sync
    mv -f "$work/outrigger" "$prefix/bin/outrigger"
    say "$prefix/bin/outrigger is there. To make this machine use it: outrigger install"
    return
  fi
  [ -z "$ca_sha256" ] || set -- "$@" --root-cert "$work/ca.pem"
  [ "$dry_run" = no ] || set -- "$@" --dry-run
  # It copies itself to where it belongs, whole, and writes down how to undo that.
  TMPDIR=$work "$work/outrigger" install "$@" </dev/null
}

main "$@"

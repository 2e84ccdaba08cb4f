#!/usr/bin/env bash
# A vendor made of Debian's tools: kcat, jq, jose and openssl. Its people are lines of a file: an address, a tab, a word.
# Its acknowledgements are not signed, so its file at Habeas says `signed: false`: the topic's ACL says who it is.
#   vendor.sh KAFKA NAME private.jwks.json habeas.jwks.json people.tsv [NAMESPACE]
set -euo pipefail
kafka=$1 name=$2 keys=$3 habeas=$4 people=$5 space=${6:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$people.done"
jq '.keys[] | select(.use == "enc")' "$keys" >"$work/enc.jwk"

decoded() { jose b64 dec -i -; }

# Opens a letter and checks that Habeas signed it to us; prints what it says.
opened() {
  jose jwe dec -i "$1" -k "$work/enc.jwk" -O "$work/jws" || return 1
  IFS=. read -r head payload signature <"$work/jws" || [ -n "$signature" ]
  kid=$(decoded <<<"$head" | jq -r 'select(.typ == "habeas-directive+jws") | .kid')
  x=$(jq -r --arg kid "$kid" '.keys[] | select(.kid == $kid and .crv == "Ed25519") | .x' "$habeas")
  { printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'; printf %s "$x" | decoded; } >"$work/key.der"
  printf %s "$signature" | decoded >"$work/signature"
  printf %s "$head.$payload" >"$work/signed"
  openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin \
    -in "$work/signed" -sigfile "$work/signature" >/dev/null || return 1
  printf %s "$payload" | decoded | jq -ce --arg name "$name" 'select(.aud == $name)'
}

# Does once what the letter asks; prints whether anybody was held.
held() {
  if grep "^$(jq -r .jti <<<"$1") " "$people.done" | cut -d' ' -f2 | grep .; then return; fi
  found=false
  while IFS=$'\t' read -r email word; do
    hash=$(printf %s "${email,,}" | sha256sum | cut -d' ' -f1)
    if jq -e --arg raw "$email" --arg hash "$hash" 'any(.identifiers[]; .value == $raw or .value == $hash)' <<<"$1" >/dev/null; then
      found=true
      [ "$(jq -r .right <<<"$1")" = delete ] || printf '%s\topted-out\n' "$email"
    else printf '%s\t%s\n' "$email" "$word"; fi
  done <"$people" >"$work/people"
  cp "$work/people" "$people"
  echo "$(jq -r .jti <<<"$1") $found" >>"$people.done"
  echo "$found"
}

answer() { # KIND SUBJECT DIRECTIVE JSON
  printf %s "$4" | kcat -P -q -b "$kafka" -t "${space}dsar.acknowledgements.$name" -k "$3" \
    -H ce_specversion=1.0 -H "ce_id=$(cat /proc/sys/kernel/random/uuid)" -H "ce_source=vendor/$name" \
    -H "ce_type=dsar.acknowledgement.$1.v1" -H "ce_subject=$2" -H "ce_time=$(date -u +%FT%TZ)"
}

kcat -q -u -J -b "$kafka" -X auto.offset.reset=earliest -G "$space$name" "${space}dsar.directives.$name" |
  while read -r record; do
    subject=$(jq -r '.headers | .[index("ce_subject") + 1]' <<<"$record")
    jq -j '.payload | fromjson.letter' <<<"$record" >"$work/letter"
    said=$(opened "$work/letter") || { echo "not a letter to us"; continue; }
    id=$(jq -r .jti <<<"$said")
    answer received "$subject" "$id" "{\"directive_id\":\"$id\",\"received_at\":\"$(date -u +%FT%TZ)\"}"
    # A correction is said in words: a person does it, and answers then.
    [ "$(jq -r .right <<<"$said")" != correct ] || continue
    answer completed "$subject" "$id" \
      "{\"directive_id\":\"$id\",\"completed_at\":\"$(date -u +%FT%TZ)\",\"held\":$(held "$said")}"
    echo "done"
  done

#!/bin/sh
# Stands in front of rustc while a fuzz target is built: of all that is linked in, only the engine, what
# it reads pages with, and the parser that it is held against tell the fuzzer which way they took. A run is
# several times as fast for it.
for word; do
	case $last in --crate-name)
		case $word in cobrowse_edge | lol_html | html5ever | fuzz_*) exec "$@" ;; esac
	esac
	last=$word
done
for word; do
	shift
	case $word in
	-Cpasses=sancov-module | -Cllvm-args=-sanitizer-coverage-* | -Cdebug-assertions) ;;
	*) set -- "$@" "$word" ;;
	esac
done
exec "$@"

//! An insertion into a gzip body, against zlib and libdeflate: raw bytes, streams made by no packer and
//! those of one, whole and in pieces, sound and broken.
#![no_main]

#[path = "../oracle/gzip/mod.rs"]
mod gzip;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| gzip::check(input));

//! Content codings: the origin's pages are packed once before anything is measured, and what a
//! proxy sends is unpacked to be checked.

use std::io::{Read, Write};

use anyhow::Result;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Coding {
    Identity,
    Gzip,
    Br,
    Zstd,
}

impl Coding {
    pub const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::Br, Self::Zstd];

    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Br => "br",
            Self::Zstd => "zstd",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|coding| coding.name() == name)
    }

    /// At the level at which origins commonly pack: gzip 6, br 5, zstd 3.
    pub fn pack(self, plain: &[u8]) -> Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(plain.to_vec()),
            Self::Gzip => {
                let level = flate2::Compression::new(6);
                let mut packer = flate2::write::GzEncoder::new(Vec::new(), level);
                packer.write_all(plain)?;
                Ok(packer.finish()?)
            }
            Self::Br => {
                let mut packed = Vec::new();
                brotli::CompressorWriter::new(&mut packed, 4096, 5, 22).write_all(plain)?;
                Ok(packed)
            }
            Self::Zstd => Ok(zstd::encode_all(plain, 3)?),
        }
    }

    pub fn unpack(self, packed: &[u8]) -> Result<Vec<u8>> {
        let mut plain = Vec::new();
        match self {
            Self::Identity => plain.extend_from_slice(packed),
            Self::Gzip => {
                flate2::read::GzDecoder::new(packed).read_to_end(&mut plain)?;
            }
            Self::Br => {
                brotli::Decompressor::new(packed, 4096).read_to_end(&mut plain)?;
            }
            Self::Zstd => plain = zstd::decode_all(packed)?,
        }
        Ok(plain)
    }
}

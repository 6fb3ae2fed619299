//! An origin that breaks off midway: no visitor ever gets an answer that looks complete, and no
//! broken page carries the tag.

mod coded;
mod killed;
mod scripted;
mod verdict;

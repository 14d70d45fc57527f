//! The ledger over whole blocks, against a small chain of the tests' own.

mod admission;
mod clients;
mod decoding;
mod evidence;
mod forwarding;
mod governance;
mod model;
mod packets;
mod properties;
mod transfers;

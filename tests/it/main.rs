//! Integration tests: one binary, for one link.

mod house;

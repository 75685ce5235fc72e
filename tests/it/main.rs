//! One integration binary: every room's promises, and the wire.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
// Tests may read the environment and say what they have counted.
#![allow(clippy::disallowed_methods, clippy::print_stdout)]

mod advice;
#[cfg(feature = "aws")]
mod aws_bucket;
#[cfg(feature = "aws")]
mod aws_budget;
#[cfg(feature = "aws")]
mod aws_capacity;
#[cfg(feature = "aws")]
mod aws_compute;
#[cfg(feature = "aws")]
mod aws_contract;
#[cfg(feature = "aws")]
mod aws_dns;
#[cfg(feature = "aws")]
mod aws_faults;
#[cfg(feature = "aws")]
mod aws_gpu;
#[cfg(feature = "aws")]
mod aws_iam;
#[cfg(feature = "aws")]
mod aws_ledger;
#[cfg(feature = "aws")]
mod aws_lookup;
#[cfg(feature = "aws")]
mod aws_moto_wrong;
#[cfg(feature = "aws")]
mod aws_network;
#[cfg(feature = "aws")]
mod aws_notices;
#[cfg(feature = "aws")]
mod aws_pages;
#[cfg(feature = "aws")]
mod aws_requests;
#[cfg(feature = "aws")]
mod aws_stage;
#[cfg(feature = "aws")]
mod aws_survey;
mod board;
mod book;
mod boot;
mod bucket;
mod capacity;
mod capacity_matrix;
mod catalog;
mod contract;
mod contract_cases;
mod contract_sim;
mod crash;
mod demand;
mod dice;
mod docs;
mod far;
mod farm;
#[cfg(feature = "aws")]
mod faults;
mod fleet;
mod fleet_back;
mod fleet_days;
mod fleet_notices;
mod fleet_unheard;
mod hands;
mod house;
mod http;
mod init;
mod lab;
mod ledger;
mod life;
mod machine;
mod mass;
mod money;
#[cfg(feature = "aws")]
mod moto;
#[cfg(feature = "aws")]
mod moto_groups;
mod node;
mod page;
mod process;
mod readers;
mod roll;
#[cfg(feature = "aws")]
mod roundtrip;
mod sample;
mod saved;
mod scale;
mod schedule;
mod screens;
mod scripts;
#[cfg(feature = "aws")]
mod seam;
mod service;
mod shells;
mod stacks;
mod targets;
mod walks;
mod whole;
mod wizard;

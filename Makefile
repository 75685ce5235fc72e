# What people run. Every target stands on its own and leaves no process behind.

export CARGO_TARGET_DIR ?= $(HOME)/.cache/mlinfra-target
# The Python peers of the tests: an AWS emulator and a client that knows nothing of mlinfra.
export MLINFRA_PEERS ?= $(CARGO_TARGET_DIR)/peers

.PHONY: help demo demo-aws test soak faults peers catalog docs bench bench-autoscale smoke-aws bench-first-plan

help:
	@echo "make demo       the main job in a simulated region; no AWS account"
	@echo "make demo-aws   the same through the AWS SDK against an emulator (moto)"
	@echo "make test       install what the tests need and run all of them"
	@echo "make faults     every fault at every AWS operation; make test plays a part of it"
	@echo "make soak       1,000 kills on each kind of ledger, and more orders of events; hours"
	@echo "make bench      measure every command beside Terraform: CPU seconds, memory, ratios"
	@echo "make bench-autoscale  replay traces (TRACES=...) under our policy and every peer's; time a decision"
	@echo "make bench-first-plan  from clone to first plan, and where the time goes"
	@echo "make catalog    write the catalogue's table of instance types anew"
	@echo "make docs       write docs/{reference,commands}.md and docs/plan.svg from the code"
	@echo "make smoke-aws  a small run on a real account, with a cap on what it may cost"

demo:
	@cargo build --quiet --locked --no-default-features
	@examples/demo.sh $(CARGO_TARGET_DIR)/debug/mlinfra

demo-aws: peers
	@cargo build --quiet --locked
	@examples/demo-aws.sh $(CARGO_TARGET_DIR)/debug/mlinfra $(MLINFRA_PEERS)

peers:
	@tests/peer/install $(MLINFRA_PEERS)

# How often the binary is killed on each kind of ledger, and how many orders are tried in
# which two and three applies at once can reach it: all with so many departures from the
# plainest order, but at most MLINFRA_ORDERS for each number of processes and kind of ledger.
test: export MLINFRA_KILLS ?= 100
test: export MLINFRA_DEPARTURES ?= 2
test: export MLINFRA_SCHEDULES ?= 10000
test: export MLINFRA_SUBSETS ?= all
test: peers
	cargo test --locked -- --include-ignored

faults: peers
	MLINFRA_FAULTS=all cargo test --locked --test it faults::faults_at -- --include-ignored --nocapture

soak: export MLINFRA_KILLS ?= 1000
soak: export MLINFRA_DEPARTURES ?= 3
soak: export MLINFRA_ORDERS ?= 20000
soak: export MLINFRA_SCHEDULES ?= 100000
soak: export MLINFRA_FLEETS ?= 1000000
soak:
	cargo test --release --locked --no-default-features --test it -- --nocapture kills schedule dying no_history

# The hardware table of the catalogue, from the answers of EC2 that moto records.
catalog: peers
	$(MLINFRA_PEERS)/bin/python tests/peer/catalog.py write src/catalog/instance_types.csv $$(date +%F)

docs:
	cargo run --quiet --locked --no-default-features -- schema --markdown > docs/reference.md
	cargo run --quiet --locked --no-default-features -- man --markdown > docs/commands.md
	cargo run --quiet --locked --no-default-features -- -C examples/quickstart --sandbox=$$(mktemp -d) \
	  plan --format svg > docs/plan.svg

bench:
	cargo build --quiet --release --locked --no-default-features
	benches/bench.py $(CARGO_TARGET_DIR)/release/mlinfra $(BENCH)

# TRACES: files with submit_s,duration_s,gpus; those of tests/data and a made-up one of 80,000 jobs
# where none is given.
bench-autoscale:
	cargo build --quiet --release --locked --no-default-features
	benches/autoscale.py $(CARGO_TARGET_DIR)/release/mlinfra $(TRACES)
	cargo bench --quiet --locked --no-default-features --bench decision

# FLAGS: for cargo build, such as --no-default-features.
bench-first-plan:
	benches/first-plan.sh $(FLAGS)

smoke-aws:
	@examples/smoke-aws.sh

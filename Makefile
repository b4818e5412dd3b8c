# What a person types. The work is in stack/, plain Python without dependencies.
.DEFAULT_GOAL := help
.PHONY: help demo demo-keycloak test test-211 test-all lint bench stop clean lock format docs messages

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 14

demo: ## install what is missing, start everything, print addresses and logins
	@python3 -m stack demo

demo-keycloak: ## the same, DINAMIS logins being known by a real Keycloak
	@python3 -m stack demo-keycloak

test: ## the whole suite on CKAN 2.12, with the stories in a browser (T=path runs a part)
	@python3 -m stack test

test-211: ## the suite on CKAN 2.11, without the browser
	@python3 -m stack test-211

test-all: ## both CKAN lines side by side, then the stories in a browser
	@python3 -m stack test-all

lint: ## style, formatting, types
	@python3 -m stack lint

format: ## put style and formatting right
	@.stack/venv/bin/ruff check --fix . ; .stack/venv/bin/ruff format .

docs: ## write the documents that are made from the tables in code
	@.stack/venv/bin/python tools/docs.py

messages: ## bring the translations' files up to the code, and compile them
	@.stack/venv/bin/python -m stack.messages ; .stack/venv/bin/pybabel --quiet compile -D ckanext-dinamis_relais -d ckanext/dinamis_relais/i18n

bench: ## measure against peers and limits, with SCENES=100000 and JOURNAL=200000 lines; writes .stack/bench.json
	@SCENES="$(SCENES)" JOURNAL="$(JOURNAL)" python3 -m stack bench

stop: ## end what the demonstration started
	@python3 -m stack stop

clean: ## stop, and remove all that was made
	@python3 -m stack clean

lock: ## pin the versions of both environments
	@python3 -m stack lock
	@python3 -m stack lock-211

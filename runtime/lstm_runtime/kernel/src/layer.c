/* One direction of one layer, or of layers in a row, over all steps. Compiled once for each
   instruction set.

   The steps are taken in chunks, and each layer reads a whole chunk before the next one does: the
   products with its inputs, which do not wait for each other, are then made for many rows at a
   time, and what one layer hands to the next never leaves the processor's caches. */
#include "activation.h"
#include "product.h"
#include "quantise.h"
#include "scratch.h"
#include <stdlib.h>

/* A layer at work. */
typedef struct {
    const Layer *layer;
    Product product[PRODUCTS];
    States states;
    int is_last;
} Stage;

typedef struct {
    const Run *run;
    int direction, backward, stages;
    Stage stage[MOST_LAYERS];
    Chunk chunk;
    Sequence *sequence;
} Pass;

/* Where the arrays of [steps, batch, ...] hold step t of a sequence, counted as it is read. */
static size_t place(const Pass *p, const Sequence *sequence, int64_t t) {
    return (size_t)(p->backward ? sequence->length - 1 - t : t);
}

static float *row_of(Floats *rows, const Stage *s, int64_t n) {
    return (float *)(rows + (size_t)n * (size_t)s->layer->blocks);
}

static void quantise_h(Stage *s, int64_t n, Reach reach) {
    uint8_t *q = s->states.q + (size_t)n * s->product[RECURRENT].stride;
    s->states.scale[n] = quantise(row_of(s->states.h, s, n), s->layer->hidden, reach, q);
}

/* The longest first: the rows that still run are then always the first ones. */
static int by_falling_length(const void *left, const void *right) {
    const Sequence *a = left, *b = right;
    if (a->length != b->length) return a->length < b->length ? 1 : -1;
    return a->row < b->row ? -1 : 1;
}

static void order_sequences(Pass *p) {
    const Run *run = p->run;
    for (int64_t n = 0; n < run->batch; n++)
        p->sequence[n] = (Sequence){run->lengths ? run->lengths[n] : run->steps, n};
    qsort(p->sequence, (size_t)run->batch, sizeof *p->sequence, by_falling_length);
}

static void start(const Pass *p, Stage *s) {
    const Run *run = p->run;
    const size_t H = (size_t)s->layer->hidden, batch = (size_t)run->batch;
    const size_t padded = (size_t)s->layer->blocks * sizeof(Floats);
    memset(s->states.q, 0, batch * s->product[RECURRENT].stride);
    memset(p->chunk.q, 0, (size_t)chunk_steps(run) * batch * s->product[INPUT].stride);
    for (size_t n = 0; n < batch; n++) {
        float *c = row_of(s->states.c, s, (int64_t)n), *h = row_of(s->states.h, s, (int64_t)n);
        const size_t from = ((size_t)p->direction * batch + (size_t)p->sequence[n].row) * H;
        memset(c, 0, padded);
        memset(h, 0, padded);
        if (run->c0) memcpy(c, run->c0 + from, H * sizeof *c);
        if (run->h0) memcpy(h, run->h0 + from, H * sizeof *h);
        quantise_h(s, (int64_t)n, reach_of(h, (int)H));
    }
}

/* How many of the first `rows` rows still have a step t. */
static int64_t running(const Pass *p, int64_t rows, int64_t t) {
    while (rows > 0 && p->sequence[rows - 1].length <= t) rows--;
    return rows;
}

/* The vector that the first layer reads at step t of a sequence. */
static const float *vector_at(const Pass *p, const Sequence *sequence, int64_t t, int64_t word) {
    const Run *run = p->run;
    const int inputs = p->stage->layer->inputs;
    if (!run->ids)
        return run->x + (place(p, sequence, t) * (size_t)run->batch + (size_t)sequence->row) * (size_t)inputs;
    widen(run->table + word * inputs, inputs, run->table_scale[word], p->chunk.vector);
    return p->chunk.vector;
}

/* Quantise what the first layer reads in the steps from `from` to below `until`, each word once;
   returns how many rows that made. */
static int64_t read_inputs(Pass *p, int64_t rows, int64_t from, int64_t until) {
    enum { PLACES = 256 }; /* where a word may have been seen, by its last bits */
    int32_t seen[PLACES];
    Chunk *c = &p->chunk;
    const Stage *s = p->stage;
    int32_t made = 0;
    size_t entry = 0;
    memset(seen, 0, sizeof seen);
    for (int64_t t = from; t < until; t++) {
        rows = running(p, rows, t);
        for (int64_t n = 0; n < rows; n++, entry++) {
            const Sequence *sequence = &p->sequence[n];
            int64_t word = 0;
            if (p->run->ids) {
                word = p->run->ids[(size_t)sequence->row * (size_t)p->run->steps + place(p, sequence, t)];
                int32_t *last = &seen[word % PLACES];
                if (*last < made && c->word[*last] == word) {
                    c->row[entry] = *last;
                    continue;
                }
                *last = made;
            }
            const float *x = vector_at(p, sequence, t, word);
            c->scale[made] = quantise(x, s->layer->inputs, reach_of(x, s->layer->inputs),
                                      c->q + (size_t)made * s->product[INPUT].stride);
            c->word[made] = word;
            c->row[entry] = made++;
        }
    }
    return made;
}

/* gates = bias + x * W for `rows` rows of the chunk. */
static void input_product(Pass *p, const Stage *s, int64_t rows) {
    const Product *product = &s->product[INPUT];
    const Floats *bias = (const Floats *)s->layer->direction[p->direction].bias;
    const size_t row_gates = (size_t)product->blocks * GATES;
    for (int block = 0; block < product->blocks; block++)
        for (int64_t r = 0; r < rows; r += ROWS) {
            const uint8_t *q = p->chunk.q + (size_t)r * product->stride;
            Floats *gates = p->chunk.gates + (size_t)r * row_gates + block * GATES;
            const Floats *addend[ROWS];
            Floats gate[ROWS][GATES];
            UNROLL for (int n = 0; n < ROWS; n++) addend[n] = bias + block * GATES;
#define CALL(count)                                                                 \
    product_of_rows(count, product, block, q, p->chunk.scale + r, addend, gate);     \
    UNROLL for (int n = 0; n < count; n++)                                          \
        UNROLL for (int g = 0; g < GATES; g++) gates[(size_t)n * row_gates + g] = gate[n][g]
            WITH_CONSTANT_ROWS(rows - r < ROWS ? (int)(rows - r) : ROWS, CALL)
#undef CALL
        }
}

/* One step of one block of `rows` rows, from row `first` on; `row` are their entries. */
INLINE void step_block(int rows, const Pass *p, Stage *s, int block, int64_t first, const int32_t *row) {
    const Product *product = &s->product[RECURRENT];
    const size_t blocks = (size_t)product->blocks;
    const Floats *addend[ROWS];
    Floats gate[ROWS][GATES];
    UNROLL for (int r = 0; r < rows; r++)
        addend[r] = p->chunk.gates + ((size_t)row[first + r] * blocks + (size_t)block) * GATES;
    product_of_rows(rows, product, block, s->states.q + (size_t)first * product->stride,
                    s->states.scale + first, addend, gate);
    UNROLL for (int r = 0; r < rows; r++) {
        const size_t at = ((size_t)first + (size_t)r) * blocks + (size_t)block;
        s->states.h[at] = lstm_cell(gate[r], &s->states.c[at]);
        s->states.reach[first + r] = reach_with(s->states.reach[first + r], s->states.h[at]);
    }
}

/* Give row n's h of step t to the next layer, as the chunk's row `to`, or to the caller. */
static void hand_on(const Pass *p, Stage *s, int64_t n, int64_t t, size_t to) {
    const Run *run = p->run;
    const size_t H = (size_t)s->layer->hidden, stride = s->product[RECURRENT].stride;
    if (!s->is_last) {
        memcpy(p->chunk.q + to * stride, s->states.q + (size_t)n * stride, stride);
        p->chunk.scale[to] = s->states.scale[n];
        p->chunk.row[to] = (int32_t)to;
    } else if (run->y) {
        const Sequence *sequence = &p->sequence[n];
        const size_t at = place(p, sequence, t) * (size_t)s->layer->directions + (size_t)p->direction;
        memcpy(run->y + (at * (size_t)run->batch + (size_t)sequence->row) * H, row_of(s->states.h, s, n), H * sizeof(float));
    }
}

/* Step t of the first `rows` rows, whose first entry is `entry`. */
static void step(const Pass *p, Stage *s, int64_t rows, int64_t t, size_t entry) {
    const int32_t *row = p->chunk.row + entry;
    memset(s->states.reach, 0, (size_t)rows * sizeof *s->states.reach);
    for (int n = 0; n < s->layer->blocks; n++) {
        /* To and fro: what was read last is still in the nearest cache. */
        const int block = t & 1 ? s->layer->blocks - 1 - n : n;
        for (int64_t r = 0; r < rows; r += ROWS) {
#define CALL(count) step_block(count, p, s, block, r, row)
            WITH_CONSTANT_ROWS(rows - r < ROWS ? (int)(rows - r) : ROWS, CALL)
#undef CALL
        }
    }
    for (int64_t n = 0; n < rows; n++) {
        quantise_h(s, n, s->states.reach[n]);
        hand_on(p, s, n, t, entry + (size_t)n);
    }
}

/* The steps from `from` to below `until` of one layer, `made` of whose inputs are in the chunk;
   returns how many it made for the next one. */
static int64_t read_chunk(Pass *p, Stage *s, int64_t rows, int64_t from, int64_t until, int64_t made) {
    size_t entry = 0;
    input_product(p, s, made);
    for (int64_t t = from; t < until; t++) {
        rows = running(p, rows, t);
        step(p, s, rows, t, entry);
        entry += (size_t)rows;
    }
    return (int64_t)entry;
}

/* Write the last states, and zeros behind the ends of shorter sequences. */
static void finish(const Pass *p, const Stage *s) {
    const Run *run = p->run;
    const size_t H = (size_t)s->layer->hidden, batch = (size_t)run->batch;
    for (size_t n = 0; n < batch; n++) {
        const Sequence *sequence = &p->sequence[n];
        const size_t to = ((size_t)p->direction * batch + (size_t)sequence->row) * H;
        if (run->h) memcpy(run->h + to, row_of(s->states.h, s, (int64_t)n), H * sizeof(float));
        if (run->c) memcpy(run->c + to, row_of(s->states.c, s, (int64_t)n), H * sizeof(float));
        for (int64_t t = sequence->length; run->y && t < run->steps; t++) {
            const size_t at = (size_t)t * (size_t)s->layer->directions + (size_t)p->direction;
            memset(run->y + (at * batch + (size_t)sequence->row) * H, 0, H * sizeof(float));
        }
    }
}

static void run_layers(const Layer *layer, int layers, int direction, int backward, const Run *run, void *scratch) {
    const uintptr_t aligned = ((uintptr_t)scratch + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
    Scratch cut;
    cut_up(layer, layers, run, &cut, (char *)aligned);
    Pass p = {.run = run, .direction = direction, .backward = backward, .stages = layers,
              .chunk = cut.chunk, .sequence = cut.sequence};
    order_sequences(&p);
    for (int n = 0; n < layers; n++) {
        p.stage[n] = (Stage){.layer = &layer[n], .states = cut.states[n], .is_last = n == layers - 1,
                             .product = {product_of(&layer[n], direction, INPUT), product_of(&layer[n], direction, RECURRENT)}};
        start(&p, &p.stage[n]);
    }
    int64_t rows = run->batch;
    const int64_t steps = p.sequence[0].length;
    for (int64_t from = 0; from < steps; from += chunk_steps(run)) {
        const int64_t until = from + chunk_steps(run) < steps ? from + chunk_steps(run) : steps;
        rows = running(&p, rows, from);
        int64_t made = read_inputs(&p, rows, from, until);
        for (int n = 0; n < layers; n++) made = read_chunk(&p, &p.stage[n], rows, from, until, made);
    }
    finish(&p, &p.stage[layers - 1]);
}

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define JOINED(a, b) a##b
#define SET_OF(name) JOINED(set_, name)
const InstructionSet SET_OF(NAME) = {TEXT(NAME), LANES, LIMIT, scratch_bytes, run_layers};

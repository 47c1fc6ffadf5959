/* One direction of a layer over all its steps. Compiled once for each instruction set. */
#include "activation.h"
#include "product.h"
#include "quantise.h"
#include "scratch.h"
#include <stdlib.h>

typedef struct {
    const Layer *layer;
    const Run *run;
    int direction, backward;
    Product product[PRODUCTS];
    Scratch s;
} Pass;

/* Where the arrays of [steps, batch, ...] hold step t of a sequence, counted as it is read. */
static size_t place(const Pass *p, const Sequence *sequence, int64_t t) {
    return (size_t)(p->backward ? sequence->length - 1 - t : t);
}

static float *row_of(Floats *rows, const Pass *p, int64_t n) {
    return (float *)(rows + (size_t)n * (size_t)p->layer->blocks);
}

static void quantise_h(Pass *p, int64_t n, float most) {
    const Product *product = &p->product[RECURRENT];
    p->s.unit[RECURRENT][n] = quantise(row_of(p->s.h, p, n), p->layer->hidden, most,
                                       p->s.q[RECURRENT] + (size_t)n * product->stride);
}

/* The longest first: the rows that still run are then always the first ones. */
static int by_falling_length(const void *left, const void *right) {
    const Sequence *a = left, *b = right;
    if (a->length != b->length) return a->length < b->length ? 1 : -1;
    return a->row < b->row ? -1 : 1;
}

static void start(Pass *p) {
    const Run *run = p->run;
    const size_t H = (size_t)p->layer->hidden, batch = (size_t)run->batch;
    const size_t padded = (size_t)p->layer->blocks * sizeof(Floats);
    for (size_t n = 0; n < batch; n++)
        p->s.sequence[n] = (Sequence){run->lengths ? run->lengths[n] : run->steps, (int64_t)n};
    qsort(p->s.sequence, batch, sizeof *p->s.sequence, by_falling_length);
    memset(p->s.q[INPUT], OFFSET, (size_t)chunk_steps(run) * batch * p->product[INPUT].stride);
    memset(p->s.q[RECURRENT], OFFSET, batch * p->product[RECURRENT].stride);
    for (size_t n = 0; n < batch; n++) {
        float *c = row_of(p->s.c, p, (int64_t)n), *h = row_of(p->s.h, p, (int64_t)n);
        const size_t from = ((size_t)p->direction * batch + (size_t)p->s.sequence[n].row) * H;
        memset(c, 0, padded);
        memset(h, 0, padded);
        if (run->c0) memcpy(c, run->c0 + from, H * sizeof *c);
        if (run->h0) memcpy(h, run->h0 + from, H * sizeof *h);
        quantise_h(p, (int64_t)n, largest(h, (int)H));
    }
}

/* How many of the first `rows` rows still have a step t. */
static int64_t running(const Pass *p, int64_t rows, int64_t t) {
    while (rows > 0 && p->s.sequence[rows - 1].length <= t) rows--;
    return rows;
}

/* gates = bias + x * W for the running rows of the steps from `from` to below `until`. */
static void input_product(Pass *p, int64_t rows, int64_t from, int64_t until) {
    const Run *run = p->run;
    const Product *product = &p->product[INPUT];
    const Floats *bias = (const Floats *)p->layer->direction[p->direction].bias;
    const size_t row_gates = (size_t)product->blocks * GATES;
    float *unit = p->s.unit[INPUT];
    int64_t filled = 0;
    for (int64_t t = from; t < until; t++) {
        rows = running(p, rows, t);
        for (int64_t n = 0; n < rows; n++, filled++) {
            const Sequence *sequence = &p->s.sequence[n];
            const size_t at = place(p, sequence, t) * (size_t)run->batch + (size_t)sequence->row;
            const float *x = run->x + at * (size_t)p->layer->inputs;
            unit[filled] = quantise(x, p->layer->inputs, largest(x, p->layer->inputs),
                                    p->s.q[INPUT] + (size_t)filled * product->stride);
        }
    }
    for (int block = 0; block < product->blocks; block++)
        for (int64_t r = 0; r < filled; r += ROWS) {
            const uint8_t *q = p->s.q[INPUT] + (size_t)r * product->stride;
            Floats *gates = p->s.gates + (size_t)r * row_gates + block * GATES;
            Floats gate[ROWS][GATES];
#define CALL(count)                                                                           \
    product_of_rows(count, product, block, q, unit + r, bias + block * GATES, 0, gate);       \
    UNROLL for (int n = 0; n < count; n++)                                                    \
        UNROLL for (int g = 0; g < GATES; g++) gates[(size_t)n * row_gates + g] = gate[n][g]
            WITH_CONSTANT_ROWS(filled - r < ROWS ? (int)(filled - r) : ROWS, CALL)
#undef CALL
        }
}

/* One step of one block of `rows` rows, from row `first` on. */
INLINE void step_block(int rows, Pass *p, int block, int64_t first, const Floats *gates) {
    const Product *product = &p->product[RECURRENT];
    const size_t blocks = (size_t)product->blocks;
    Floats gate[ROWS][GATES];
    product_of_rows(rows, product, block, p->s.q[RECURRENT] + (size_t)first * product->stride,
                    p->s.unit[RECURRENT] + first, gates, blocks * GATES, gate);
    UNROLL for (int r = 0; r < rows; r++) {
        const size_t at = ((size_t)first + (size_t)r) * blocks + (size_t)block;
        p->s.h[at] = lstm_cell(gate[r], &p->s.c[at]);
        p->s.most[first + r] = larger(p->s.most[first + r], magnitude(p->s.h[at]));
    }
}

/* Step t of the first `rows` rows, whose input products stand at `gates`. */
static void step(Pass *p, int64_t rows, int64_t t, const Floats *gates) {
    const Run *run = p->run;
    const size_t H = (size_t)p->layer->hidden, blocks = (size_t)p->layer->blocks;
    memset(p->s.most, 0, (size_t)rows * sizeof *p->s.most);
    for (int n = 0; n < p->layer->blocks; n++) {
        /* To and fro: what was read last is still in the nearest cache. */
        const int block = t & 1 ? p->layer->blocks - 1 - n : n;
        for (int64_t r = 0; r < rows; r += ROWS) {
            const Floats *at = gates + ((size_t)r * blocks + (size_t)block) * GATES;
#define CALL(count) step_block(count, p, block, r, at)
            WITH_CONSTANT_ROWS(rows - r < ROWS ? (int)(rows - r) : ROWS, CALL)
#undef CALL
        }
    }
    for (int64_t n = 0; n < rows; n++) {
        quantise_h(p, n, largest_lane(p->s.most[n]));
        if (run->y) {
            const Sequence *sequence = &p->s.sequence[n];
            const size_t at = place(p, sequence, t) * (size_t)p->layer->directions + (size_t)p->direction;
            memcpy(run->y + (at * (size_t)run->batch + (size_t)sequence->row) * H,
                   row_of(p->s.h, p, n), H * sizeof(float));
        }
    }
}

/* Write the last states, and zeros behind the ends of shorter sequences. */
static void finish(Pass *p) {
    const Run *run = p->run;
    const size_t H = (size_t)p->layer->hidden, batch = (size_t)run->batch;
    for (size_t n = 0; n < batch; n++) {
        const Sequence *sequence = &p->s.sequence[n];
        const size_t to = ((size_t)p->direction * batch + (size_t)sequence->row) * H;
        if (run->h) memcpy(run->h + to, row_of(p->s.h, p, (int64_t)n), H * sizeof(float));
        if (run->c) memcpy(run->c + to, row_of(p->s.c, p, (int64_t)n), H * sizeof(float));
        for (int64_t t = sequence->length; run->y && t < run->steps; t++) {
            const size_t at = (size_t)t * (size_t)p->layer->directions + (size_t)p->direction;
            memset(run->y + (at * batch + (size_t)sequence->row) * H, 0, H * sizeof(float));
        }
    }
}

static void run_direction(const Layer *l, int direction, int backward, const Run *run, void *scratch) {
    Pass p = {
        .layer = l,
        .run = run,
        .direction = direction,
        .backward = backward,
        .product = {product_of(l, direction, INPUT), product_of(l, direction, RECURRENT)},
    };
    const uintptr_t aligned = ((uintptr_t)scratch + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
    cut_up(l, run, &p.s, (char *)aligned);
    start(&p);
    int64_t rows = run->batch;
    const int64_t steps = p.s.sequence[0].length;
    for (int64_t from = 0; from < steps; from += chunk_steps(run)) {
        const int64_t until = from + chunk_steps(run) < steps ? from + chunk_steps(run) : steps;
        input_product(&p, rows, from, until);
        const Floats *gates = p.s.gates;
        for (int64_t t = from; t < until; t++) {
            rows = running(&p, rows, t);
            step(&p, rows, t, gates);
            gates += (size_t)rows * (size_t)l->blocks * GATES;
        }
    }
    finish(&p);
}

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define JOINED(a, b) a##b
#define SET_OF(name) JOINED(set_, name)
const InstructionSet SET_OF(NAME) = {TEXT(NAME), LANES, OFFSET, LIMIT, scratch_bytes, run_direction};

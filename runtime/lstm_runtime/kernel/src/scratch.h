/* The working memory of one run: one piece of memory, cut up here. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include "simd.h"

/* Rows of the input product that are made at a time. Its 2 KB a row (128 units), written and read
   again, stay in the second cache beside the weights. */
enum { CHUNK_ROWS = 96 };

/* A row of the batch. */
typedef struct {
    int64_t length;
    int64_t row; /* where it stands in the batch */
} Sequence;

typedef struct {
    Floats *gates;      /* [step of the chunk][running row][block][gate]: bias + x * W */
    Floats *c, *h;      /* [row][block] */
    Ints *most;         /* [row]: the largest |h| of each lane so far */
    float *unit[PRODUCTS];  /* [step of the chunk and running row], [row]: see quantise.h */
    uint8_t *q[PRODUCTS];   /* likewise, and [input] or [unit] of h, filled up to groups */
    Sequence *sequence; /* [row], the longest first */
} Scratch;

static int64_t chunk_steps(const Run *run) {
    return run->batch < CHUNK_ROWS ? CHUNK_ROWS / run->batch : 1;
}

static void *take(char *base, size_t *at, size_t bytes) {
    void *found = base ? base + *at : NULL;
    *at = (*at + bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return found;
}

/* Cut up the memory at `base`, NULL to count only; returns how much it is. */
static size_t cut_up(const Layer *l, const Run *run, Scratch *s, char *base) {
    const size_t batch = (size_t)run->batch, chunk = (size_t)chunk_steps(run) * batch;
    const size_t blocks = (size_t)l->blocks;
    size_t at = 0;
    s->gates = take(base, &at, chunk * blocks * GATES * sizeof *s->gates);
    s->c = take(base, &at, batch * blocks * sizeof *s->c);
    s->h = take(base, &at, batch * blocks * sizeof *s->h);
    s->most = take(base, &at, batch * sizeof *s->most);
    s->unit[INPUT] = take(base, &at, chunk * sizeof(float));
    s->unit[RECURRENT] = take(base, &at, batch * sizeof(float));
    s->q[INPUT] = take(base, &at, chunk * (size_t)l->groups[INPUT] * GROUP);
    s->q[RECURRENT] = take(base, &at, batch * (size_t)l->groups[RECURRENT] * GROUP);
    s->sequence = take(base, &at, batch * sizeof *s->sequence);
    return at;
}

static size_t scratch_bytes(const Layer *l, const Run *run) {
    Scratch s;
    return cut_up(l, run, &s, NULL) + ALIGNMENT;
}

#endif

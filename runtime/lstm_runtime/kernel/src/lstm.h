/* An int8 LSTM layer: what the operator (operator.c) asks of the arithmetic (layer.c).

   The arithmetic is compiled once for each instruction set, from the same sources, and each build
   gives the same bits: activations are quantised one row and one step at a time, so that no row
   sees another; sums of int8 products are whole numbers and so exact in any order; and every
   operation on floats is one that IEEE 754 rounds correctly (+, -, *, /, fused multiply-add), in
   an order that the sources fix. Hence a text has one answer: alone, in a batch, in pieces, on
   any processor. Compiling with -ffast-math, or letting the compiler contract a * b + c, would
   end that. */
#ifndef LSTM_H
#define LSTM_H

#include <stddef.h>
#include <stdint.h>

/* The gates in ONNX's order: input, output, forget, and the new values ("cell" in ONNX). */
enum { GATE_I, GATE_O, GATE_F, GATE_G, GATES };

/* The two products of a step: x * W and h * R. */
enum { INPUT, RECURRENT, PRODUCTS };

/* Inputs of a product are taken four at a time: instructions multiply four bytes and add them up. */
enum { GROUP = 4 };

/* Working memory and weights start at multiples of this, the size of a cache line and of the
   widest vector. */
enum { ALIGNMENT = 64 };

/* The weights of one direction, packed by pack.c in the order in which the arithmetic reads them.

   A "block" is as many units as a vector has lanes; the last one is filled up with zeros. For each
   block and each group of four inputs there is one vector of bytes a gate, and in it four bytes a
   lane: [block][group][gate][lane][4]. */
typedef struct {
    int8_t *weight[PRODUCTS];
    float *scale[PRODUCTS];   /* [block][gate][lane]: what a weight of 1 is worth */
    int32_t *column[PRODUCTS]; /* [block][gate][lane]: the sum of a column's weights */
    float *bias;              /* [block][gate][lane] */
} Direction;

typedef struct {
    int inputs, hidden;
    int blocks;            /* of units */
    int groups[PRODUCTS];  /* of inputs and of units */
    int directions;        /* 1 or 2 */
    Direction direction[2];
} Layer;

/* Layers in a row: each after the first one reads the h of the one before, and all have one
   direction where there is more than one. */
enum { MOST_LAYERS = 8 };

/* What one run reads and writes, all arrays as ONNX's LSTM has them; NULL where left out. The first
   layer reads x, or the rows of a table of int8 vectors that ids name. */
typedef struct {
    int64_t steps, batch;
    const float *x;           /* [steps, batch, inputs] */
    const int64_t *ids;       /* [batch, steps], each a row of the table */
    const int8_t *table;      /* [words, inputs] */
    const float *table_scale; /* [words]: what a 1 in a row is worth */
    const int32_t *lengths;   /* [batch], 0 to steps */
    const float *h0, *c0;     /* [directions, batch, hidden], for one layer only */
    float *y;                 /* [steps, directions, batch, hidden] of the last layer */
    float *h, *c;             /* [directions, batch, hidden] of the last layer */
} Run;

typedef struct {
    const char *name;
    int lanes;  /* floats in a vector */
    int limit;  /* the largest weight to either side that the product takes */
    size_t (*scratch_bytes)(const Layer *, int layers, const Run *);
    void (*run)(const Layer *, int layers, int direction, int backward, const Run *, void *scratch);
} InstructionSet;

/* The best instruction set of this build that this processor has, or the one of the name `wanted`;
   NULL where that one cannot run. */
const InstructionSet *choose_instruction_set(const char *wanted);

#endif

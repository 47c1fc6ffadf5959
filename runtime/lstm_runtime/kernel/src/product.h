/* The int8 product: rows of quantised activations with the weights of one block's four gates.

   This is where the time goes. A row alone has to read all the weights for a single use of each:
   64 KB a step for 128 units, more than the nearest cache holds (32 KB), so that the second one's
   32 bytes a cycle are what it waits for. Rows of a batch share what was read; six of them keep
   the multipliers 75 % busy. */
#ifndef PRODUCT_H
#define PRODUCT_H

#include "quantise.h"

/* One of a direction's two products. */
typedef struct {
    const Quads *weight;  /* [block][group][gate] */
    const Floats *scale;  /* [block][gate] */
    const Ints *column;   /* [block][gate] */
    int blocks, groups;
    size_t stride;        /* bytes from one quantised row to the next */
} Product;

static Product product_of(const Layer *l, int direction, int which) {
    const Direction *d = &l->direction[direction];
    return (Product){
        .weight = (const Quads *)d->weight[which],
        .scale = (const Floats *)d->scale[which],
        .column = (const Ints *)d->column[which],
        .blocks = l->blocks,
        .groups = l->groups[which],
        .stride = (size_t)l->groups[which] * GROUP,
    };
}

/* Where sums of bytes q * w start, so that they end as sums of (q - zero) * w. */
INLINE Ints first_sum(const Product *p, int column, int32_t zero) { return p->column[column] * (SIGNED - zero); }

/* The sums of `rows` rows, at most ROWS: a constant where this is inlined, so that all of them
   stay in registers. */
INLINE void sums_of_rows(int rows, const Product *p, int block, const uint8_t *q, const Scale *scale, Ints sum[][GATES]) {
    const Quads *w = p->weight + (size_t)block * (size_t)p->groups * GATES;
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int g = 0; g < GATES; g++) sum[r][g] = first_sum(p, block * GATES + g, scale[r].zero);
    for (int k = 0; k < p->groups; k++, w += GATES)
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int g = 0; g < GATES; g++)
                sum[r][g] = dot4(sum[r][g], q + (size_t)r * p->stride + GROUP * k, w[g]);
}

/* A row alone has four sums, too few to hide that an addition takes several cycles: it makes two
   of each, of the even and the odd groups. */
INLINE void sums_of_one(const Product *p, int block, const uint8_t *q, const Scale *scale, Ints sum[GATES]) {
    const Quads *w = p->weight + (size_t)block * (size_t)p->groups * GATES;
    Ints odd[GATES] = {{0}};
    UNROLL for (int g = 0; g < GATES; g++) sum[g] = first_sum(p, block * GATES + g, scale->zero);
    int k = 0;
    for (; k + 2 <= p->groups; k += 2, w += 2 * GATES)
        UNROLL for (int g = 0; g < GATES; g++) {
            sum[g] = dot4(sum[g], q + GROUP * k, w[g]);
            odd[g] = dot4(odd[g], q + GROUP * (k + 1), w[GATES + g]);
        }
    if (k < p->groups)
        UNROLL for (int g = 0; g < GATES; g++) sum[g] = dot4(sum[g], q + GROUP * k, w[g]);
    UNROLL for (int g = 0; g < GATES; g++) sum[g] += odd[g];
}

/* gate[r][g] = sum * scale * the row's unit + addend[r][g] */
INLINE void product_of_rows(int rows, const Product *p, int block, const uint8_t *q,
                            const Scale *scale, const Floats *const addend[], Floats gate[][GATES]) {
    Ints sum[ROWS][GATES];
    if (rows == 1) sums_of_one(p, block, q, scale, sum[0]);
    else sums_of_rows(rows, p, block, q, scale, sum);
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int g = 0; g < GATES; g++) {
            const Floats real = __builtin_convertvector(sum[r][g], Floats) * p->scale[block * GATES + g];
            gate[r][g] = fused(real, splat(scale[r].unit), addend[r][g]);
        }
}

/* Do `CALL(n)` with n = the rows at hand as a constant, for 1 to ROWS of them. */
#define WITH_CONSTANT_ROWS(rows, CALL)          \
    switch (rows) {                             \
    case 1: CALL(1); break;                     \
    case 2: if (2 <= ROWS) { CALL(2); } break;  \
    case 3: if (3 <= ROWS) { CALL(3); } break;  \
    case 4: if (4 <= ROWS) { CALL(4); } break;  \
    case 5: if (5 <= ROWS) { CALL(5); } break;  \
    case 6: if (6 <= ROWS) { CALL(6); } break;  \
    }

#endif

/* From floats to bytes: x is near unit * (q - zero), with q from 0 to 255 and a unit such that the
   smallest and the largest x of a row (or 0, where that is beyond them) are 254 apart: 254, since
   rounding both zero and x / unit may make it 255. Each row of each step has a unit of its own, so
   that nothing depends on its neighbours, and a zero of its own, since the h of a step may well be of
   one sign: a range to both sides of 0 would then waste a bit. */
#ifndef QUANTISE_H
#define QUANTISE_H

#include "simd.h"

/* Adding 1.5 * 2^23 to a float below 2^22 rounds it to a whole number (to even where it is half
   way), which then stands in the low bits of the sum. */
static const float ROUND = 12582912.0f;

typedef struct {
    float unit;
    int32_t zero;
} Scale;

/* How far values reach above and below 0, in each lane, as whole numbers of the same bits: see
   `larger`. NaN is beyond all, whatever its sign. */
typedef struct { Ints above, below; } Reach;

INLINE Reach reach_with(Reach reach, Floats x) {
    return (Reach){larger(reach.above, (Ints)x), larger(reach.below, (Ints)-x)};
}

INLINE Reach reach_of(const float *x, int count) {
    Reach reach = {{0}, {0}};
    int n = 0;
    for (; n + LANES <= count; n += LANES) reach = reach_with(reach, load(x + n));
    Floats rest = {0};
    memcpy(&rest, x + n, (size_t)(count - n) * sizeof *x);
    return reach_with(reach, rest);
}

/* to = from * scale. */
INLINE void widen(const int8_t *from, int count, float scale, float *to) {
    int n = 0;
    for (; n + LANES <= count; n += LANES) {
        Bytes bytes;
        memcpy(&bytes, from + n, sizeof bytes);
        const Floats wide = __builtin_convertvector(bytes, Floats) * scale;
        memcpy(to + n, &wide, sizeof wide);
    }
    for (; n < count; n++) to[n] = (float)from[n] * scale;
}

/* Write `count` bytes to q, of values of this reach, and return their scale. What is too small to
   divide by is zero. Where a value is infinite or NaN so is the unit, and through it every sum that
   the row goes into: infinity times 0 is NaN. */
INLINE Scale quantise(const float *x, int count, Reach reach, uint8_t *q) {
    const float above = largest_lane(reach.above), below = largest_lane(reach.below);
    const float unit = above * (1 / 254.0f) + below * (1 / 254.0f);
    const float inverse = unit > 1e-32f ? 1 / unit : 0.0f;
    union { float f; int32_t i; } first = {below * inverse + ROUND};
    const int32_t zero = (uint8_t)first.i;
    int n = 0;
    for (; n + LANES <= count; n += LANES) {
        const Bytes bytes = low_bytes((Ints)(load(x + n) * inverse + ROUND) + zero) ^ (int8_t)SIGNED;
        memcpy(q + n, &bytes, sizeof bytes);
    }
    for (; n < count; n++) {
        union { float f; int32_t i; } rounded = {x[n] * inverse + ROUND};
        q[n] = (uint8_t)(((uint32_t)rounded.i + (uint32_t)zero) ^ SIGNED);
    }
    return (Scale){unit, zero};
}

#endif

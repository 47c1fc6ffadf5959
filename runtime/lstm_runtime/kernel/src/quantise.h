/* From floats to bytes: x is near unit * q with q from -127 to 127 and unit = max |x| / 127. Each
   row of each step has a unit of its own, so that nothing depends on its neighbours. */
#ifndef QUANTISE_H
#define QUANTISE_H

#include "simd.h"

/* Adding 1.5 * 2^23 to a float below 2^22 rounds it to a whole number (to even where it is half
   way), which then stands in the low bits of the sum. */
static const float ROUND = 12582912.0f;

/* The largest |x|; NaN where there is one. */
INLINE float largest(const float *x, int count) {
    Ints most = {0};
    int n = 0;
    for (; n + LANES <= count; n += LANES) most = larger(most, magnitude(load(x + n)));
    Floats rest = {0};
    memcpy(&rest, x + n, (size_t)(count - n) * sizeof *x);
    return largest_lane(larger(most, magnitude(rest)));
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

/* Write `count` bytes to q, of values that are `most` at most, and return their unit. What is too
   small to divide by is zero. Where most is infinite or NaN so is the unit, and through it every
   sum that the row goes into: infinity times 0 is NaN. */
INLINE float quantise(const float *x, int count, float most, uint8_t *q) {
    const float inverse = most > 1e-30f ? 127.0f / most : 0.0f;
    int n = 0;
    for (; n + LANES <= count; n += LANES) {
        const Ints rounded = (Ints)(load(x + n) * inverse + ROUND);
        const Bytes bytes = low_bytes(rounded) ^ (int8_t)OFFSET;
        memcpy(q + n, &bytes, sizeof bytes);
    }
    for (; n < count; n++) {
        union { float f; int32_t i; } rounded = {x[n] * inverse + ROUND};
        q[n] = (uint8_t)(rounded.i ^ OFFSET);
    }
    return most / 127.0f;
}

#endif

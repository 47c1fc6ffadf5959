/* Plain C: what the other sets must equal to the bit, and nothing that anyone should wait for. */
#include <math.h>

#define EACH_LANE for (int lane = 0; lane < LANES; lane++)

INLINE Ints dot4(Ints sums, const uint8_t *a, Quads w) {
    EACH_LANE for (int n = 0; n < GROUP; n++) sums[lane] += (int8_t)a[n] * w[GROUP * lane + n];
    return sums;
}

INLINE Ints larger(Ints a, Ints b) {
    EACH_LANE if (b[lane] > a[lane]) a[lane] = b[lane];
    return a;
}

INLINE float largest_lane(Ints a) {
    union { int32_t i; float f; } most = {a[0]};
    EACH_LANE if (a[lane] > most.i) most.i = a[lane];
    return most.f;
}

INLINE Bytes low_bytes(Ints a) { return __builtin_convertvector(a, Bytes); }

INLINE Floats fused(Floats a, Floats b, Floats c) {
    EACH_LANE c[lane] = fmaf(a[lane], b[lane], c[lane]);
    return c;
}

INLINE Floats exponent(Floats x, Floats *n) {
    EACH_LANE x[lane] = x[lane] > 40.0f ? 40.0f : x[lane] < -40.0f ? -40.0f : x[lane];
    *n = x + 12582912.0f - 12582912.0f; /* 1.5 * 2^23, where floats are whole numbers */
    return x - *n;
}

INLINE Floats scaled(Floats p, Floats n) {
    EACH_LANE p[lane] = n[lane] == n[lane] ? ldexpf(p[lane], (int)n[lane]) : n[lane];
    return p;
}

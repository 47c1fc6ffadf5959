/* AVX-512 with VNNI ("vector neural network instructions"): Ice Lake and Zen 4 onwards. */
#include <immintrin.h>

/* vpdpbusd: one instruction for 64 products. Its left bytes are unsigned. */
INLINE Ints dot4(Ints sums, const uint8_t *a, Quads w) {
    int32_t four;
    memcpy(&four, a, sizeof four);
    return (Ints)_mm512_dpbusd_epi32((__m512i)sums, _mm512_set1_epi32(four), (__m512i)w);
}

INLINE Ints larger(Ints a, Ints b) { return (Ints)_mm512_max_epi32((__m512i)a, (__m512i)b); }

INLINE float largest_lane(Ints a) {
    union { int32_t i; float f; } most = {_mm512_reduce_max_epi32((__m512i)a)};
    return most.f;
}

INLINE Bytes low_bytes(Ints a) { return (Bytes)_mm512_cvtepi32_epi8((__m512i)a); }

INLINE Floats fused(Floats a, Floats b, Floats c) {
    return (Floats)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

/* No lower bound: scaled() gives zero there, and of 2^-40 and 0 both, one plus it is one. */
INLINE Floats exponent(Floats x, Floats *n) {
    const __m512 held = _mm512_min_ps((__m512)splat(40.0f), (__m512)x); /* NaN where x is NaN */
    *n = (Floats)_mm512_roundscale_ps(held, 0);
    return (Floats)_mm512_reduce_ps(held, 0); /* held - *n, and 0 for minus infinity */
}

INLINE Floats scaled(Floats p, Floats n) { return (Floats)_mm512_scalef_ps((__m512)p, (__m512)n); }

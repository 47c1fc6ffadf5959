/* 256-bit vectors: AVX2, which every x86 since Haswell and Zen has, and AVX-VNNI, which gives it
   the one instruction that it lacks (Alder Lake, Zen 5 and the small cores of Intel's). */
#include <immintrin.h>

INLINE Ints dot4(Ints sums, const uint8_t *a, Quads w) {
    int32_t four;
    memcpy(&four, a, sizeof four);
#if defined SET_AVXVNNI
    return (Ints)_mm256_dpbusd_avx_epi32((__m256i)sums, _mm256_set1_epi32(four), (__m256i)w);
#else
    /* vpmaddubsw adds two products in 16 bits and clips what does not fit. Its left bytes are
       unsigned, as our activations are, 0 to 255. With weights of seven bits two
       products are 2 * 255 * 64 = 32,640 at most, and that fits below 32,767; with eight bits they
       would not, so this set refuses those. vpmaddwd (times 1) then adds the pairs in 32 bits. */
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi32(four), (__m256i)w);
    return sums + (Ints)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
#endif
}

INLINE Ints larger(Ints a, Ints b) { return (Ints)_mm256_max_epi32((__m256i)a, (__m256i)b); }

INLINE float largest_lane(Ints a) {
    union { int32_t i; float f; } most;
    __m128i half = _mm_max_epi32(_mm256_castsi256_si128((__m256i)a),
                                 _mm256_extracti128_si256((__m256i)a, 1));
    half = _mm_max_epi32(half, _mm_shuffle_epi32(half, 0x4e)); /* lanes 2, 3, 0, 1 */
    half = _mm_max_epi32(half, _mm_shuffle_epi32(half, 0xb1)); /* lanes 1, 0, 3, 2 */
    most.i = _mm_cvtsi128_si32(half);
    return most.f;
}

/* A shuffle gathers four bytes in each half, a permutation puts the two groups side by side. */
INLINE Bytes low_bytes(Ints a) {
    const __m256i wanted = _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                            0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m256i groups = _mm256_shuffle_epi8((__m256i)a, wanted);
    const __m256i joined = _mm256_permutevar8x32_epi32(groups, _mm256_setr_epi32(0, 4, 0, 0, 0, 0, 0, 0));
    Bytes bytes;
    memcpy(&bytes, &joined, sizeof bytes);
    return bytes;
}

INLINE Floats fused(Floats a, Floats b, Floats c) {
    return (Floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

INLINE Floats exponent(Floats x, Floats *n) {
    /* min and max give their second operand where one is NaN. */
    __m256 held = _mm256_min_ps((__m256)splat(40.0f), (__m256)x);
    held = _mm256_max_ps((__m256)splat(-40.0f), held);
    *n = (Floats)_mm256_round_ps(held, 0);
    return (Floats)held - *n;
}

/* Adds n to the exponent, whose place in a float is bit 23. NaN converts to the lowest number, of
   which the shift leaves 0. */
INLINE Floats scaled(Floats p, Floats n) {
    return (Floats)((Ints)p + ((Ints)_mm256_cvtps_epi32((__m256)n) << 23));
}

/* NEON, which every 64-bit ARM has, and its dot product (ARMv8.2: Cortex-A55 and A75, Neoverse N1,
   Apple's M1 onwards). Both multiply signed by signed bytes: activations are 128 less. */
#include <arm_neon.h>

INLINE Ints dot4(Ints sums, const uint8_t *a, Quads w) {
    int32_t four;
    memcpy(&four, a, sizeof four);
#if defined SET_NEONDOT
    return (Ints)vdotq_s32((int32x4_t)sums, (int8x16_t)w, vreinterpretq_s8_s32(vdupq_n_s32(four)));
#else
    /* Products in 16 bits, which -128 * -128 fits; then neighbours are added twice. */
    const int8x8_t right = vreinterpret_s8_s32(vdup_n_s32(four));
    const int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8((int8x16_t)w), right));
    const int32x4_t high = vpaddlq_s16(vmull_s8(vget_high_s8((int8x16_t)w), right));
    return sums + (Ints)vpaddq_s32(low, high);
#endif
}

INLINE Ints larger(Ints a, Ints b) { return (Ints)vmaxq_s32((int32x4_t)a, (int32x4_t)b); }

INLINE float largest_lane(Ints a) {
    union { int32_t i; float f; } most = {vmaxvq_s32((int32x4_t)a)};
    return most.f;
}

INLINE Bytes low_bytes(Ints a) {
    const int16x4_t halves = vmovn_s32((int32x4_t)a);
    const int8x8_t bytes = vmovn_s16(vcombine_s16(halves, halves));
    Bytes low;
    memcpy(&low, &bytes, sizeof low);
    return low;
}

INLINE Floats fused(Floats a, Floats b, Floats c) {
    return (Floats)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}

INLINE Floats exponent(Floats x, Floats *n) {
    /* min and max give NaN where one is NaN. */
    float32x4_t held = vminq_f32(vdupq_n_f32(40.0f), (float32x4_t)x);
    held = vmaxq_f32(vdupq_n_f32(-40.0f), held);
    *n = (Floats)vrndnq_f32(held);
    return (Floats)held - *n;
}

/* Adds n to the exponent, whose place in a float is bit 23. NaN converts to 0. */
INLINE Floats scaled(Floats p, Floats n) {
    return (Floats)((Ints)p + ((Ints)vcvtq_s32_f32((float32x4_t)n) << 23));
}

// Rows as they would be shipped, while they are trained. Built without fused multiply-adds, so that every build has
// the numbers of packing.pack_rows: errors are added up in numpy's order.
#include "isa_common.hpp"

namespace hybridhash::HH_ISA {

namespace {

constexpr int kNumScales = 15;  // beside the scale of a block of zeros; a lane holds one of each

static_assert(kNumScales < kLanes, "a block of floats and its scales fit a lane");

// The last block of a table may be short; zeros fill it.
HH_INLINE size_t load_block(const float* values, size_t num_floats, size_t block, float* to) {
    const size_t start = block * kLanes, left = num_floats - start, count = left < kLanes ? left : kLanes;
    for (int i = 0; i < kLanes; ++i) to[i] = 0;
    std::memcpy(to, values + start, count * sizeof(float));
    return count;
}

HH_INLINE bool is_finite(float value) { return std::fabs(value) <= 3.402823466e38f; }

HH_INLINE float sum_of(const float* v) {
    float sums[8];
    HH_UNROLL for (int i = 0; i < 8; ++i) sums[i] = v[i] + v[i + 8];
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// The quotient of finite numbers fits an integer: no step is below a 128th of what the largest block wants.
HH_INLINE float rounded(float value, float step, int least_level, int most_level) {
    const float quotient = value / step;
    int level = (int)quotient;
    level -= (float)level > quotient;
    level = level > least_level ? level : least_level;
    level = level < most_level ? level : most_level;
    return ((float)level + 0.5f) * step;
}

}  // namespace

float largest_step(const float* values, size_t num_floats, const uint32_t* blocks, size_t count, int bits) {
    float largest = 0, v[kLanes];
    for (size_t b = 0; b < count; ++b) {
        load_block(values, num_floats, blocks[b], v);
        bool finite = true;
        float most = 0;
        for (int i = 0; i < kLanes; ++i) {
            v[i] = std::fabs(v[i]);
            finite &= is_finite(v[i]);
            most = v[i] > most ? v[i] : most;
        }
        const float step = bits == 1 ? sum_of(v) / kLanes * 2 : most / ((float)(1 << (bits - 1)) - 0.5f);
        if (finite && step > largest && is_finite(step)) largest = step;
    }
    return largest;
}

void round_blocks(const float* values, size_t num_floats, const uint32_t* blocks, size_t count, int bits, float top,
                  float* out) {
    const int least_level = -(1 << (bits - 1)), most_level = -1 - least_level;
    float steps[kLanes], v[kLanes], errors[kLanes], best[kLanes];
    for (int scale = 0; scale < kNumScales; ++scale) {
        const float step = (float)std::exp2(-scale / 2.0) * top;
        steps[scale] = step > 0 ? step : 1.0f;  // to rows so small, zeros are nearer
    }
    steps[kNumScales] = 1.0f;
    for (size_t b = 0; b < count; ++b) {
        const size_t length = load_block(values, num_floats, blocks[b], v);
        // Scales side by side in the lanes: no sum crosses them.
        _Pragma("GCC unroll 1") for (int scale = 0; scale < kLanes; ++scale) {
            float squares[kLanes];
            HH_UNROLL for (int i = 0; i < kLanes; ++i) {
                const float apart = v[i] - rounded(v[i], steps[scale], least_level, most_level);
                squares[i] = apart * apart;
            }
            errors[scale] = sum_of(squares);
        }
        for (int i = 0; i < kLanes; ++i) best[i] = v[i] * v[i];
        float least = sum_of(best), step = 0;
        for (int scale = 0; scale < kNumScales; ++scale) {
            if (!(errors[scale] < least)) continue;
            least = errors[scale];
            step = steps[scale];
        }
        if (!is_finite(least)) {
            for (int i = 0; i < kLanes; ++i) best[i] = NAN;
        } else {
            for (int i = 0; i < kLanes; ++i) best[i] = step > 0 ? rounded(v[i], step, least_level, most_level) : 0;
        }
        std::memcpy(out + (size_t)blocks[b] * kLanes, best, length * sizeof(float));
    }
}

}  // namespace hybridhash::HH_ISA

// The rules by which optimizers move rows. A rule is a struct: its name, the state that it keeps, the numbers of a step by
// name (those that the optimizer's `numbers` returns in Python), and how one row moves. A new rule is a struct here and its
// place in `Rules`; docs/howto/add-an-optimizer.md.
#pragma once

#include <cmath>

#include "choices.hpp"
#include "isa.hpp"
#include "macros.hpp"

namespace hybridhash {

// An array of state has a float for each float of a row, or one for each row.
enum class State { per_float, per_row };

struct States {
    int count;
    State shapes[kMostStates];
};

namespace {

// A row of the element type E that moves, what is kept beside it, and its gradient, which may be written over.
template <class E>
struct MovedRow {
    typename E::Type* values;
    float* state[kMostStates];
    float* grad;
    int width;
};

template <class E>
HH_INLINE void add_decay(const MovedRow<E>& row, float weight_decay) {
    if (weight_decay == 0.0f) return;
    const typename E::Type* values = row.values;
    float* grad = row.grad;
    const int width = row.width;
    HH_APART for (int j = 0; j < width; ++j) grad[j] += weight_decay * E::load(values + j);
}

// In lanes, in one order for every build; the last bit may still differ where a compiler fuses a multiply with an add.
HH_INLINE float mean_of_squares(const float* values, int count) {
    constexpr int kSums = 16;
    float sums[kSums] = {};
    int j = 0;
    for (; j + kSums <= count; j += kSums)
        for (int i = 0; i < kSums; ++i) sums[i] += values[j + i] * values[j + i];
    for (; j < count; ++j) sums[j % kSums] += values[j] * values[j];
    float sum = 0;
    for (int i = 0; i < kSums; ++i) sum += sums[i];
    return sum / (float)count;
}

struct SGD {
    static constexpr const char* name = "sgd";
    static constexpr States states{0, {}};

    float lr, weight_decay;

    template <class F>
    void for_each_number(F f) {
        f("lr", lr);
        f("weight_decay", weight_decay);
    }

    template <class E>
    HH_INLINE void move(const MovedRow<E>& row) const {
        add_decay(row, weight_decay);
        typename E::Type* values = row.values;
        const float* grad = row.grad;
        const int width = row.width;
        HH_APART for (int j = 0; j < width; ++j) E::store(values + j, E::load(values + j) - lr * grad[j]);
    }
};

struct AdagradNumbers {
    float lr, weight_decay, eps;

    template <class F>
    void for_each_number(F f) {
        f("lr", lr);
        f("weight_decay", weight_decay);
        f("eps", eps);
    }
};

struct Adagrad : AdagradNumbers {
    static constexpr const char* name = "adagrad";
    static constexpr States states{1, {State::per_float}};  // the sums of squared gradients

    template <class E>
    HH_INLINE void move(const MovedRow<E>& row) const {
        add_decay(row, weight_decay);
        typename E::Type* values = row.values;
        float* squares = row.state[0];
        const float* grad = row.grad;
        const int width = row.width;
        HH_APART for (int j = 0; j < width; ++j) {
            const float s = squares[j] + grad[j] * grad[j];
            squares[j] = s;
            E::store(values + j, E::load(values + j) - lr * (grad[j] / (std::sqrt(s) + eps)));
        }
    }
};

struct RowWiseAdagrad : AdagradNumbers {
    static constexpr const char* name = "rowwise_adagrad";
    static constexpr States states{1, {State::per_row}};  // the sum of mean squared gradients

    template <class E>
    HH_INLINE void move(const MovedRow<E>& row) const {
        add_decay(row, weight_decay);
        typename E::Type* values = row.values;
        const float* grad = row.grad;
        const int width = row.width;
        const float s = *row.state[0] + mean_of_squares(grad, width);
        *row.state[0] = s;
        const float step = lr / (std::sqrt(s) + eps);
        HH_APART for (int j = 0; j < width; ++j) E::store(values + j, E::load(values + j) - step * grad[j]);
    }
};

struct AdamNumbers {
    float step_size;  // the learning rate, bias corrected
    float weight_decay, eps;
    float first_share, second_share;  // of this gradient in the moments: 1 - beta

    template <class F>
    void for_each_number(F f) {
        f("step_size", step_size);
        f("weight_decay", weight_decay);
        f("eps", eps);
        f("first_share", first_share);
        f("second_share", second_share);
    }
};

struct Adam : AdamNumbers {
    static constexpr const char* name = "adam";
    static constexpr States states{2, {State::per_float, State::per_float}};  // the two moments

    template <class E>
    HH_INLINE void move(const MovedRow<E>& row) const {
        add_decay(row, weight_decay);
        typename E::Type* values = row.values;
        float* m = row.state[0];
        float* v = row.state[1];
        const float* grad = row.grad;
        const int width = row.width;
        HH_APART for (int j = 0; j < width; ++j) {
            m[j] += first_share * (grad[j] - m[j]);
            v[j] += second_share * (grad[j] * grad[j] - v[j]);
            const float denominator = std::sqrt(v[j]) + eps;
            E::store(values + j, E::load(values + j) - step_size * (m[j] / denominator));
        }
    }
};

struct RowWiseAdam : AdamNumbers {
    static constexpr const char* name = "rowwise_adam";
    static constexpr States states{2, {State::per_float, State::per_row}};  // the second moment is one of the row

    template <class E>
    HH_INLINE void move(const MovedRow<E>& row) const {
        add_decay(row, weight_decay);
        typename E::Type* values = row.values;
        float* m = row.state[0];
        const float* grad = row.grad;
        const int width = row.width;
        const float v = *row.state[1] + second_share * (mean_of_squares(grad, width) - *row.state[1]);
        *row.state[1] = v;
        const float step = step_size / (std::sqrt(v) + eps);
        HH_APART for (int j = 0; j < width; ++j) {
            m[j] += first_share * (grad[j] - m[j]);
            E::store(values + j, E::load(values + j) - step * m[j]);
        }
    }
};

struct FTRL {
    static constexpr const char* name = "ftrl";
    static constexpr States states{2, {State::per_float, State::per_float}};  // z and n of the paper

    float lr, l1, l2, beta;

    template <class F>
    void for_each_number(F f) {
        f("lr", lr);
        f("l1", l1);
        f("l2", l2);
        f("beta", beta);
    }

    template <class E>
    HH_INLINE void move(const MovedRow<E>& row) const {
        typename E::Type* values = row.values;
        float* z = row.state[0];
        float* n = row.state[1];
        const float* grad = row.grad;
        const int width = row.width;
        HH_APART for (int j = 0; j < width; ++j) {
            const float squared = n[j] + grad[j] * grad[j];
            const float sigma = (std::sqrt(squared) - std::sqrt(n[j])) / lr;
            z[j] += grad[j] - sigma * E::load(values + j);
            n[j] = squared;
            const float shrunk = std::fabs(z[j]) - l1;
            const float scale = (beta + std::sqrt(squared)) / lr + l2;
            E::store(values + j, shrunk <= 0.0f ? 0.0f : -std::copysign(shrunk, z[j]) / scale);
        }
    }
};

using Rules = Types<SGD, Adagrad, RowWiseAdagrad, Adam, RowWiseAdam, FTRL>;

}  // namespace

}  // namespace hybridhash

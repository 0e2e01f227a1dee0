#include "rules.hpp"

#include <type_traits>

#include "bags.hpp"
#include "module.hpp"

namespace nb = nanobind;

namespace hybridhash {

namespace {

using StateArrays = std::vector<Output<float>>;

template <class R>
std::vector<std::string> names_of_numbers() {
    std::vector<std::string> names;
    R rule;
    rule.for_each_number([&](const char* name, float&) { names.push_back(name); });
    return names;
}

// The numbers of a step by name.
template <class R>
R rule_of(const nb::dict& numbers) {
    R rule;
    bool complete = true;
    size_t count = 0;
    rule.for_each_number([&](const char* name, float& to) {
        ++count;
        if (!(complete = complete && numbers.contains(name))) return;
        const double given = PyFloat_AsDouble(nb::object(numbers[name]).ptr());
        if (given == -1.0 && PyErr_Occurred()) throw nb::python_error();
        to = (float)given;
    });
    if (!complete || numbers.size() != count) {
        std::string names;
        for (const std::string& name : names_of_numbers<R>()) names += (names.empty() ? "" : ", ") + name;
        throw nb::value_error(("numbers: expected " + names + " of rule " + R::name).c_str());
    }
    return rule;
}

// The rows of the head or of the tail with what the rule keeps beside them.
template <class R>
Slab slab_of(const FloatMatrix& rows, StateArrays& state) {
    require(state.size() == (size_t)R::states.count, "state: expected as many arrays as the rule keeps");
    Slab slab{const_cast<void*>(rows.data()), {}, (int)rows.shape(1)};
    for (int s = 0; s < R::states.count; ++s) {
        const size_t per_row = R::states.shapes[s] == State::per_row ? 1 : rows.shape(1);
        require(state[(size_t)s].shape(0) == rows.shape(0) * per_row, "state: expected a number per float or row");
        slab.state[s] = state[(size_t)s].data();
    }
    return slab;
}

}  // namespace

void bind_rules(nb::module_& m) {
    nb::dict names;
    Rules::for_each([&]<class R>(int) { names[R::name] = nb::tuple(nb::cast(names_of_numbers<R>())); });
    m.attr("RULES") = names;

    m.def("update",
          [](FloatMatrix head, FloatMatrix tail, Matrix<int32_t> rows, Array<int64_t> offsets,
             std::optional<Array<float>> weights, int combine, int mode, Matrix<float> grad,
             std::optional<Matrix<int32_t>> argmax, StateArrays head_state, StateArrays tail_state,
             const std::string& rule_name, nb::dict numbers, int num_threads) {
              const Call call = call_of(head, tail, rows, offsets, weights, combine, mode, num_threads);
              check_gradient(call, grad, argmax);
              require(head.shape(1) <= kMaxFusedDim, "head: expected no more floats in a row than MAX_FUSED_DIM");
              bool known = false;
              Rules::for_each([&]<class R>(int place) {
                  if (rule_name != R::name) return;
                  known = true;
                  const R rule = rule_of<R>(numbers);
                  const Slab head_slab = slab_of<R>(head, head_state), tail_slab = slab_of<R>(tail, tail_state);
                  nb::gil_scoped_release release;
                  if constexpr (std::is_same_v<R, SGD>)
                      if (rule.weight_decay == 0.0f && call.table.element == Element::f32 && !argmax)
                          return descend(call.table, call.bags, call.num_bags, grad.data(), rule.lr, num_threads);
                  const Shards shards(call.table, call.bags, call.num_bags, head.shape(0), tail.shape(0), grad.data(),
                                      argmax ? argmax->data() : nullptr, num_threads);
                  shards.apply(head_slab, tail_slab, call.table.element, Update{place, &rule});
              });
              require(known, "rule: expected a name in RULES");
          },
          array("head"), array("tail"), array("rows"), array("offsets"), array("weights").none(),
          nb::arg("combine"), nb::arg("mode"), array("grad"), array("argmax").none(), array("head_state"),
          array("tail_state"), nb::arg("rule"), nb::arg("numbers"), nb::arg("num_threads"),
          "Moves the rows of a batch by one step of a rule; numbers are those of RULES by name.");
}

}  // namespace hybridhash

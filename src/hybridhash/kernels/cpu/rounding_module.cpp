#include "rounding_module.hpp"

#include <algorithm>
#include <vector>

#include "arrays.hpp"
#include "isa.hpp"
#include "pool.hpp"

namespace nb = nanobind;

namespace hybridhash {

namespace {

constexpr size_t kBlock = 16;            // floats that share a scale
constexpr size_t kBlocksPerTask = 1024;

// The different blocks that rows have a part in, in the order of first use.
std::vector<uint32_t> blocks_of(const Array<int64_t>& touched, size_t num_rows, size_t width) {
    std::vector<bool> seen((num_rows * width + kBlock - 1) / kBlock);
    std::vector<uint32_t> blocks;
    for (size_t i = 0; i < touched.shape(0); ++i) {
        const int64_t row = touched.data()[i];
        require(row >= 0 && (size_t)row < num_rows, "touched: expected rows of the table");
        for (size_t block = (size_t)row * width / kBlock; block * kBlock < ((size_t)row + 1) * width; ++block) {
            if (seen[block]) continue;
            seen[block] = true;
            blocks.push_back((uint32_t)block);
        }
    }
    return blocks;
}

}  // namespace

void bind_rounding(nb::module_& m) {
    m.def("round_rows",
          [](Matrix<float> rows, Array<int64_t> touched, int bits, float top, OutputMatrix<float> out, int num_threads) {
              require(num_threads >= 1, kThreads);
              require((bits >= 1 && bits <= 4) || bits == 8, "bits: expected 1, 2, 3, 4 or 8");
              require(out.shape(0) == rows.shape(0) && out.shape(1) == rows.shape(1), "out: expected the shape of rows");
              const size_t num_floats = rows.size();
              require(num_floats / kBlock < UINT32_MAX, "rows: expected fewer than 2**36 floats");
              nb::gil_scoped_release release;
              const std::vector<uint32_t> blocks = blocks_of(touched, rows.shape(0), rows.shape(1));
              const size_t num_tasks = (blocks.size() + kBlocksPerTask - 1) / kBlocksPerTask;
              const auto count_of = [&](size_t task) {
                  return std::min(kBlocksPerTask, blocks.size() - task * kBlocksPerTask);
              };
              std::vector<float> steps(num_tasks);
              Pool::instance().run(num_threads, (int)num_tasks, [&](int task) {
                  const uint32_t* part = blocks.data() + (size_t)task * kBlocksPerTask;
                  steps[task] = kernels().largest_step(rows.data(), num_floats, part, count_of(task), bits);
              });
              for (const float step : steps) top = std::max(top, step);
              Pool::instance().run(num_threads, (int)num_tasks, [&](int task) {
                  const uint32_t* part = blocks.data() + (size_t)task * kBlocksPerTask;
                  kernels().round_blocks(rows.data(), num_floats, part, count_of(task), bits, top, out.data());
              });
              return top;
          },
          array("rows"), array("touched"), nb::arg("bits"), nb::arg("top"), array("out"), nb::arg("num_threads"),
          "Round the blocks that rows have a part in; the largest step they were rounded with.");
}

}  // namespace hybridhash

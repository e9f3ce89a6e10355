// The kernels of one training step, compiled once for each instruction set: dense_tile.hpp and
// sparse_tile.hpp form the gradient of a tile of columns of G, update.hpp takes the step.
#include "first_pass.hpp"
#include "kernels.hpp"
#include "random.hpp"
#include "sparse_tile.hpp"
#include "update.hpp"
#include "values.hpp"

namespace superlaw {
#define SUPERLAW_NAME2(isa) isa##_kernels
#define SUPERLAW_NAME(isa) SUPERLAW_NAME2(isa)
#define SUPERLAW_TEXT2(isa) #isa
#define SUPERLAW_TEXT(isa) SUPERLAW_TEXT2(isa)

namespace isa = SUPERLAW_ISA;

namespace {
template <class Output>
constexpr OutputKernels output_kernels() {
  OutputKernels kernels = {Output::kSparse,  Output::kCountsEmpty,     Output::kScale,
                           Output::kPadding, isa::dense_tile<Output>, nullptr, nullptr};
  if constexpr (Output::kSparse) kernels.sparse_tile = isa::sparse_tile<Output>;
  if constexpr (Output::kFirstPass) kernels.first_pass = isa::first_pass;
  return kernels;
}

template <class Rule>
constexpr RuleKernels rule_kernels() {
  return {isa::update_rows<Rule>, isa::update_bias<Rule>};
}
}  // namespace

const Kernels SUPERLAW_NAME(SUPERLAW_ISA) = {
    SUPERLAW_TEXT(SUPERLAW_ISA),
    isa::kTile,
    isa::kLanes,
    isa::kAccumulators,
    {output_kernels<isa::ReluSquaredError>(), output_kernels<isa::LinearSquaredError>(),
     output_kernels<isa::GeluSquaredError>(), output_kernels<isa::CrossEntropy>()},  // in the order of Output
    {rule_kernels<isa::Adam>(), rule_kernels<isa::Sgd>()},                           // in the order of Rule
    isa::exponentials,
    isa::uniforms,
    isa::values,
    isa::chances,
    isa::pack,
    isa::finish_statistics,
    isa::dense_rows,
    isa::sum_h,
    isa::sparse_h,
    isa::sparse_rows,
    isa::multiply_adds};
}  // namespace superlaw
